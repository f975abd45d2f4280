package metadata

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"sigs.k8s.io/yaml"
)

// MaxBytes bounds a document. 10,000 topics on two brokers and 10,000 groups take about 5 MB.
const MaxBytes = 32 << 20

// deepest is more than a document's levels.
const deepest = 16

// Parse reads a model from YAML or JSON, strictly: unknown and repeated keys, wrong types and what
// Check refuses are errors, a *Problem that names the file and the key. Lists come sorted.
func Parse(file string, text []byte) (Cluster, error) {
	var c Cluster
	tree, err := treeOf(text)
	if err == nil {
		if tree == nil {
			err = errors.New("it is empty")
		} else if _, ok := tree.(map[string]any); !ok {
			err = wrong("the document", tree, "an object with the keys of a model")
		} else if err = into("", tree, reflect.ValueOf(&c).Elem()); err == nil {
			err = c.Check()
		}
	}
	if err != nil {
		return Cluster{}, &Problem{In: file, Why: err.Error()}
	}
	c.Sort()
	return c, nil
}

// treeOf decodes a document. JSON goes the shorter way, since YAML takes ten times as long.
func treeOf(text []byte) (any, error) {
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("it has more than the %d bytes that a model may have", MaxBytes)
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if trimmed := bytes.TrimSpace(text); len(trimmed) == 0 || trimmed[0] != '{' {
		converted, err := yaml.YAMLToJSONStrict(text)
		if err != nil {
			return nil, errors.New("it is neither YAML nor JSON: " + strings.Join(strings.Fields(err.Error()), " "))
		}
		text = converted
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	tree, err := value(d, "", 0)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends too early: is it written whole?")
	}
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows after the document")
	}
	return tree, nil
}

// value decodes one value, and refuses repeated keys, of which encoding/json takes the last.
func value(d *json.Decoder, at string, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	if depth > deepest {
		return nil, fmt.Errorf("%s: nested deeper than any model", at)
	}
	switch token {
	case json.Delim('{'):
		return membersOf(d, at, depth)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := value(d, fmt.Sprintf("%s[%d]", at, len(list)), depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	return token, nil
}

func membersOf(d *json.Decoder, at string, depth int) (any, error) {
	members := map[string]any{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, _ := token.(string)
		if _, twice := members[key]; twice {
			return nil, fmt.Errorf("%s: the key is there twice; keep one", under(at, key))
		}
		if members[key], err = value(d, under(at, key), depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return members, err
}
