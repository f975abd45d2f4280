package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"rocketshift/internal/gateway/wire"
)

// Brokers and clients read JSON with fastjson, which takes members of other names for those that it
// looks for ("ClientID", "client_id"), compares names by a hash alone, of several with one name
// takes the last, and obeys members such as @type. A body that could be read in two ways would mean
// one thing here and another one there, so it isn't taken.

// mostDepth is how deep a body is nested at most. Those of stock clients have five levels.
const mostDepth = 16

// errTwoReadings is the cause of errors about JSON that brokers may read otherwise.
var errTwoReadings = errors.New("JSON that can be read in more than one way")

// oneReading refuses JSON that isn't one object, or in which an object has two members that
// fastjson takes for one, or one that it takes for a known name that it isn't.
func oneReading(text []byte, known wire.Names) error {
	if !utf8.Valid(text) || bytes.ContainsRune(text, utf8.RuneError) {
		return errors.New("text that isn't UTF-8")
	}
	if !bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte{'{'}) {
		return errors.New("no JSON object")
	}
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	if err := readOnce(in, known, 0); err != nil {
		return err
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the JSON")
	}
	return nil
}

func readOnce(in *json.Decoder, known wire.Names, depth int) error {
	token, err := in.Token()
	if err != nil {
		return err
	}
	if s, is := token.(string); is && strings.ContainsRune(s, utf8.RuneError) {
		return errors.New("half a surrogate pair")
	}
	open, nested := token.(json.Delim)
	if !nested {
		return nil
	}
	if depth == mostDepth {
		return fmt.Errorf("more than %d levels of JSON", mostDepth)
	}
	seen := map[uint64]bool{}
	for in.More() {
		if open == '{' {
			key, err := in.Token()
			if err != nil {
				return err
			}
			name := key.(string) // keys of objects are texts
			hash := wire.LooseHash(strings.TrimPrefix(name, "is"))
			meant, any := known.Means(name)
			if seen[hash] || any && meant != name || !plainName(name) {
				return fmt.Errorf("%w: member %.100q", errTwoReadings, name)
			}
			seen[hash] = true
		}
		if err := readOnce(in, known, depth+1); err != nil {
			return err
		}
	}
	_, err = in.Token()
	return err
}

// plainName reports whether a member's name is a usual one: Go takes some letters that aren't ASCII
// for others in names, and fastjson obeys @type and $ref.
func plainName(name string) bool {
	for _, c := range name {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return name != "" && name[0] != '@' && name[0] != '$'
}
