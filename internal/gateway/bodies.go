package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rocketshift/internal/gateway/wire"
)

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

// beatNames are the members of heartbeats that are looked at (HeartbeatData, ConsumerData, ProducerData).
var beatNames = wire.NamesOf("clientID", "consumerDataSet", "producerDataSet", "groupName", "messageModel")

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
	if slices.Contains(b.writes, "") || slices.ContainsFunc(b.reads, membership.nameless) {
		return beat{}, errors.New("a group without a name")
	}
	return b, nil
}
