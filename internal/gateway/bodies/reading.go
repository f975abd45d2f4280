package bodies

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"rocketshift/internal/gateway/wire"
)

// Brokers and clients read JSON with fastjson, which takes members of other names for those that it
// looks for ("ClientID", "client_id"), compares names by a hash alone, of several with one name
// takes the last, and obeys members such as @type. A body that could be read in two ways would mean
// one thing here and another one there, so it isn't taken.

// MostDepth is how deep a body is nested at most. Those of stock clients have five levels.
const MostDepth = 16

// ErrTwoReadings is the cause of errors about JSON that brokers may read otherwise.
var ErrTwoReadings = errors.New("JSON that can be read in more than one way")

// OneReading refuses JSON that isn't one object, or in which an object has two members that
// fastjson takes for one, or one that it takes for a known name that it isn't.
func OneReading(text []byte, known wire.Names) error {
	if !utf8.Valid(text) || bytes.ContainsRune(text, utf8.RuneError) {
		return errors.New("text that isn't UTF-8")
	}
	r := onceReader{in: text, known: known}
	if r.space(); r.next() != '{' {
		return errors.New("no JSON object")
	}
	if err := r.value(0); err != nil {
		return err
	}
	if r.space(); r.at < len(text) {
		return errors.New("text after the JSON")
	}
	return nil
}

// onceReader goes through JSON without making anything of it: clients choose how much it holds, and
// this is done before anybody has judged whether they may.
type onceReader struct {
	in    []byte
	at    int
	known wire.Names
	seen  []uint64 // hashes of the members of each object that has begun, the innermost one's last
	name  []byte   // memory for a name without its escapes
}

// FewMembers is up to how many members of an object are compared one by one.
const FewMembers = 16

// noJSON is the error of what can't be read.
func (r *onceReader) noJSON() error {
	return fmt.Errorf("no JSON at byte %d", r.at)
}

// next is the next byte; 0 at the end, which is none of JSON.
func (r *onceReader) next() byte {
	if r.at < len(r.in) {
		return r.in[r.at]
	}
	return 0
}

func (r *onceReader) take(c byte) bool {
	is := r.next() == c
	if is {
		r.at++
	}
	return is
}

func (r *onceReader) space() {
	for {
		switch r.next() {
		case ' ', '\t', '\r', '\n':
			r.at++
		default:
			return
		}
	}
}

// value takes a value, and the space before it.
func (r *onceReader) value(depth int) error {
	r.space()
	switch c := r.next(); c {
	case '{', '[':
		if depth == MostDepth {
			return fmt.Errorf("more than %d levels of JSON", MostDepth)
		}
		r.at++
		if c == '{' {
			return r.object(depth)
		}
		return r.list(depth)
	case '"':
		text, escaped, ok := r.text()
		if !ok {
			return r.noJSON()
		}
		if escaped && halved(text) {
			return errors.New("half a surrogate pair")
		}
		return nil
	}
	if !r.word() && !r.number() {
		return r.noJSON()
	}
	return nil
}

// object takes what is behind an object's opening brace.
func (r *onceReader) object(depth int) error {
	begin := len(r.seen)
	for more, err := r.more('}', true); more || err != nil; more, err = r.more('}', false) {
		if err == nil {
			err = r.member(begin)
		}
		if r.space(); err == nil && !r.take(':') {
			err = r.noJSON()
		}
		if err == nil {
			err = r.value(depth + 1)
		}
		if err != nil {
			return err
		}
	}
	if all := r.seen[begin:]; len(all) > FewMembers {
		slices.Sort(all)
		if len(slices.Compact(all)) < len(all) {
			return fmt.Errorf("%w: two members with one name", ErrTwoReadings)
		}
	}
	r.seen = r.seen[:begin]
	return nil
}

// list takes what is behind a list's opening bracket.
func (r *onceReader) list(depth int) error {
	for more, err := r.more(']', true); more || err != nil; more, err = r.more(']', false) {
		if err == nil {
			err = r.value(depth + 1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// more takes what ends an object or a list, or else the comma before what isn't the first one, and
// reports whether it goes on.
func (r *onceReader) more(end byte, first bool) (bool, error) {
	r.space()
	switch {
	case r.take(end):
		return false, nil
	case first:
		return true, nil
	case !r.take(','):
		return false, r.noJSON()
	}
	r.space()
	return true, nil
}

// member takes the name of a member. The hashes of those before it in its object begin at begin.
func (r *onceReader) member(begin int) error {
	name, escaped, plain := r.text()
	if !plain {
		return r.noJSON()
	}
	if escaped {
		r.name, plain = appendPlain(r.name[:0], name)
		name = r.name
	}
	if plain = plain && PlainName(name); plain {
		hash, meant := r.known.Read(name)
		before := r.seen[begin:]
		plain = (meant == "" || meant == string(name)) &&
			(len(before) >= FewMembers || !slices.Contains(before, hash))
		r.seen = append(r.seen, hash)
	}
	if !plain {
		return fmt.Errorf("%w: member %.100q", ErrTwoReadings, name)
	}
	return nil
}
