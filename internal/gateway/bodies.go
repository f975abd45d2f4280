package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Brokers read JSON with fastjson, which takes members of other names for those that it looks for ("ClientID", "client_id"),
// and of several with one name the last. A heartbeat that could be read so in two ways would make a member of one group here
// and of another one there, so it isn't taken.

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
	name = strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
	return strings.TrimPrefix(name, "is")
}
