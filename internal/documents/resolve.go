package documents

import (
	"bytes"
	"encoding/json"

	"rocketshift/api"
)

// Resolve puts lists in place of their references, in JSON as it is decoded into an any. A list is
// referred to by an object with the keys document, from and to. What get can't read stays as it is.
func Resolve(tree any, get func(api.Reference) ([]byte, error)) any {
	switch v := tree.(type) {
	case []any:
		for i := range v {
			v[i] = Resolve(v[i], get)
		}
	case map[string]any:
		if list, ok := referred(v, get); ok {
			return list
		}
		for key := range v {
			v[key] = Resolve(v[key], get)
		}
	}
	return tree
}

// referred is the list that an object refers to.
func referred(v map[string]any, get func(api.Reference) ([]byte, error)) ([]any, bool) {
	for _, key := range []string{"document", "from", "to"} {
		if _, there := v[key]; !there {
			return nil, false
		}
	}
	var of struct {
		Document api.Reference `json:"document"`
		From     int           `json:"from"`
		To       int           `json:"to"`
	}
	b, err := json.Marshal(v)
	if err != nil || json.Unmarshal(b, &of) != nil || of.Document.Check() != nil {
		return nil, false
	}
	content, err := get(of.Document)
	if err != nil {
		return nil, false
	}
	var all []any
	d := json.NewDecoder(bytes.NewReader(content))
	d.UseNumber()
	if d.Decode(&all) != nil || of.From < 0 || of.To < of.From || of.To > len(all) {
		return nil, false
	}
	return all[of.From:of.To:of.To], true
}
