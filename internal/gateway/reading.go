package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Brokers and clients read JSON with fastjson, which takes members of other names for those that it looks for ("ClientID",
// "client_id"), compares names by a hash alone, of several with one name takes the last, and obeys members such as @type.
// A body that could be read in two ways would mean one thing here and another one there, so it isn't taken.

// mostDepth is how deep a body is nested at most. Those of stock clients have five levels.
const mostDepth = 16

// errTwoReadings is the cause of errors about JSON that brokers may read otherwise.
var errTwoReadings = errors.New("JSON that can be read in more than one way")

// names are members that are looked for: by their hashes, as fastjson has them.
type names map[uint64]string

func namesOf(all ...string) names {
	is := names{}
	for _, name := range all {
		is[lowerHash(name)], is[looseHash(name)] = name, name
	}
	return is
}

// means is the name that fastjson 1.2.69 or 1.2.83 may take a member's name for (JavaBeanDeserializer.smartMatch).
func (n names) means(name string) (meant string, any bool) {
	for _, one := range [...]string{name, strings.TrimPrefix(name, "is")} {
		for _, hash := range [...]uint64{lowerHash(one), looseHash(one)} {
			if meant, any = n[hash]; any {
				return meant, true
			}
		}
	}
	return "", false
}

// FNV-1a of 64 bits, in which fastjson hashes names (TypeUtils).
const (
	hashBasis = 0xcbf29ce484222325
	hashPrime = 0x100000001b3
)

// lowerHash is TypeUtils.fnv1a_64_lower.
func lowerHash(name string) uint64 {
	hash := uint64(hashBasis)
	for _, c := range utf16.Encode([]rune(name)) {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		hash = (hash ^ uint64(c)) * hashPrime
	}
	return hash
}

// looseHash is TypeUtils.fnv1a_64_extract, and fnv1a_64_lower of older versions.
func looseHash(name string) uint64 {
	return lowerHash(strings.NewReplacer("_", "", "-", "").Replace(name))
}

// oneReading refuses JSON that isn't one object, or in which an object has two members that fastjson takes for one, or one
// that it takes for a known name that it isn't.
func oneReading(text []byte, known names) error {
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

func readOnce(in *json.Decoder, known names, depth int) error {
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
			hash := looseHash(strings.TrimPrefix(name, "is"))
			if meant, any := known.means(name); seen[hash] || any && meant != name || !plainName(name) {
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

// plainName reports whether a member's name is a usual one: Go takes some letters that aren't ASCII for others in names, and
// fastjson obeys @type and $ref.
func plainName(name string) bool {
	for _, c := range name {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return name != "" && name[0] != '@' && name[0] != '$'
}
