package api

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Collected are names that were added little by little: some are in the history itself, the others
// in documents. Its JSON is an array of names as long as there are no others.
type Collected struct {
	Named []string `json:"named,omitempty"`
	In    []Names  `json:"in"`
}

// collectedJSON is how it travels with lists in documents.
type collectedJSON Collected

// Plus are the names of both.
func (c Collected) Plus(o Collected) Collected {
	return Collected{slices.Concat(c.Named, o.Named), slices.Concat(c.In, o.In)}
}

// IsZero lets JSON leave it out.
func (c Collected) IsZero() bool { return len(c.Named)+len(c.In) == 0 }

// MarshalJSON writes an array, or both.
func (c Collected) MarshalJSON() ([]byte, error) {
	if len(c.In) == 0 {
		return json.Marshal(c.Named)
	}
	return json.Marshal(collectedJSON(c))
}

// UnmarshalJSON reads either form.
func (c *Collected) UnmarshalJSON(b []byte) error {
	*c = Collected{}
	if b = bytes.TrimSpace(b); len(b) == 0 || b[0] != '{' {
		return json.Unmarshal(b, &c.Named)
	}
	return json.Unmarshal(b, (*collectedJSON)(c))
}
