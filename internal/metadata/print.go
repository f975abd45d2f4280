package metadata

import (
	"bytes"
	"encoding/json"
	"io"

	goyaml "go.yaml.in/yaml/v2"
)

// YAML is the document with its keys in the order of the model. The same model gives the same
// bytes.
func (c Cluster) YAML() ([]byte, error) {
	text, err := c.JSON()
	if err != nil {
		return nil, err
	}
	var ordered goyaml.MapSlice // JSON is YAML too
	if err := goyaml.Unmarshal(text, &ordered); err != nil {
		return nil, err
	}
	return goyaml.Marshal(ordered)
}

// JSON is the document, indented, as diffs of lines like it.
func (c Cluster) JSON() ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(c)
	return text.Bytes(), err
}

// Document is the door out to the model itself; AsJSON chooses JSON instead of YAML.
type Document struct{ AsJSON bool }

// Write writes everything: there are no gaps.
func (d Document) Write(to io.Writer, c Cluster) (Gaps, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	print := c.YAML
	if d.AsJSON {
		print = c.JSON
	}
	text, err := print()
	if err == nil {
		_, err = to.Write(text)
	}
	return nil, err
}
