package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"rocketshift/internal/gateway/wire"
)

// Brokers read JSON with fastjson, which takes members of other names for those that it looks for ("ClientID", "client_id"),
// and of several with one name the last. A heartbeat that could be read so in two ways would make a member of one group here
// and of another one there, so it isn't taken.

const (
	// mostElements is how much a body may hold, in members, elements, objects and lists: a heartbeat of 1,000 groups with 10 topics each has
	// 120,000. A body of 4 MiB could hold two millions, of 100 bytes each here.
	mostElements = 250_000
	// perElement is what one takes while a body is read, in bytes: of names that were seen, or of memberships in a list that grows.
	perElement = 128
	// perMembership is what one takes that is kept.
	perMembership = 48
)

// elements counts what a body holds: by its commas and brackets, those in texts among them, which are few.
func elements(body []byte) (n int) {
	for _, c := range body {
		if c == ',' || c == '{' || c == '[' {
			n++
		}
	}
	return n
}

// mostOfBody is what a request's body may take while it is read, and what is made of it, in bytes.
func (s *session) mostOfBody(f *wire.Frame) int {
	return 3*len(f.Bytes()) + perElement*(1+min(elements(f.Body), mostElements))
}

// costOfBeat is what a heartbeat takes that is kept: its frame here and on its way to the target, and its names.
func costOfBeat(size int, b beat) int { return 3*size + perMembership*(len(b.reads)+len(b.writes)) }

// bodyFits takes the memory for what is read of a request's body, or refuses the request.
func (s *session) bodyFits(f *wire.Frame, cost int) bool {
	size, holds := len(f.Bytes()), elements(f.Body)
	if size > mostBeat || holds > mostElements {
		s.bounds.bodies.Add(1)
		s.refuse(f, systemError, fmt.Sprintf("a request of %d bytes that holds %d elements: at most %d bytes and %d elements are read", size, holds, mostBeat, mostElements))
		return false
	}
	return s.takes(f, cost)
}

// takes takes memory for a request, or refuses it.
func (s *session) takes(f *wire.Frame, bytes int) bool {
	s.flush()
	if err := s.memory.Take(bytes); err != nil {
		s.refuse(f, serviceNotAvailable, err.Error())
		return false
	}
	return true
}

// mostDepth is how deep a heartbeat is nested at most. Those of stock clients have five levels.
const mostDepth = 16

// errTwoReadings is the cause of errors about JSON that brokers may read otherwise.
var errTwoReadings = errors.New("JSON that can be read in more than one way")

// beatNames are the members of heartbeats that are looked at (HeartbeatData, ConsumerData, ProducerData).
var beatNames = []string{"clientID", "consumerDataSet", "producerDataSet", "groupName", "messageModel"}

// beat is what a heartbeat says.
type beat struct {
	client string
	reads  []membership
	writes []string // producer groups
}

// identity tells clients apart. Two applications may have one id, such as those of one host network: then their groups differ.
func (b beat) identity() string {
	if b.client == "" {
		return ""
	}
	var all []string
	for _, m := range b.reads {
		all = append(all, "reads "+m.Group)
	}
	for _, group := range b.writes {
		all = append(all, "writes "+group)
	}
	slices.Sort(all)
	return b.client + "\n" + strings.Join(slices.Compact(all), "\n")
}

// parseBeat reads a heartbeat's body. Errors: errTwoReadings, and those of bodies that are none.
func parseBeat(body []byte) (beat, error) {
	if err := oneReading(body, beatNames); err != nil {
		return beat{}, err
	}
	var is struct {
		Client string       `json:"clientID"`
		Reads  []membership `json:"consumerDataSet"`
		Writes []struct {
			Group string `json:"groupName"`
		} `json:"producerDataSet"`
	}
	if err := json.Unmarshal(body, &is); err != nil {
		return beat{}, err
	}
	b := beat{client: is.Client, reads: is.Reads}
	for _, one := range is.Writes {
		b.writes = append(b.writes, one.Group)
	}
	return b, nil
}

// oneReading refuses JSON in which an object has two members that fastjson takes for one, or one that it takes for a known
// name that it isn't.
func oneReading(text []byte, known []string) error {
	folded := map[string]string{}
	for _, name := range known {
		folded[fold(name)] = name
	}
	in := json.NewDecoder(bytes.NewReader(text))
	if err := readOnce(in, folded, 0); err != nil {
		return err
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the JSON")
	}
	return nil
}

func readOnce(in *json.Decoder, known map[string]string, depth int) error {
	token, err := in.Token()
	if err != nil {
		return err
	}
	open, nested := token.(json.Delim)
	if !nested {
		return nil
	}
	if depth == mostDepth {
		return fmt.Errorf("more than %d levels of JSON", mostDepth)
	}
	seen := map[string]bool{}
	for in.More() {
		if open == '{' {
			key, err := in.Token()
			if err != nil {
				return err
			}
			name := key.(string) // keys of objects are texts
			is := fold(name)
			if meant, like := known[is]; seen[is] || like && meant != name {
				return fmt.Errorf("%w: member %.100q", errTwoReadings, name)
			}
			seen[is] = true
		}
		if err := readOnce(in, known, depth+1); err != nil {
			return err
		}
	}
	_, err = in.Token()
	return err
}

// fold makes names equal that fastjson takes for each other (TypeUtils.fnv1a_64_lower, JavaBeanDeserializer.smartMatch).
func fold(name string) string {
	name = strings.ToLower(withoutMarks.Replace(name))
	return strings.TrimPrefix(name, "is")
}

// withoutMarks is made once: it takes 4 KB, and a heartbeat may hold 200,000 names.
var withoutMarks = strings.NewReplacer("_", "", "-", "")
