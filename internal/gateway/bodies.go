package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

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

// longBody is from which length on a body counts as long: stock clients' heartbeats have some kilobytes.
const longBody = 64 << 10

// shareForBodies is which part of one processor reading long bodies may take: one in so many. A body
// of 4 MiB takes a processor for up to a tenth of a second, and other clients wait for it.
const shareForBodies = 5

// bodyReader lets one long body be read at a time, and leaves the processors to others between two.
type bodyReader struct {
	one  sync.Mutex
	next time.Time // when the next long one may be read; under one
}

// read reads a body.
func (r *bodyReader) read(body []byte, how func()) {
	if len(body) <= longBody {
		how()
		return
	}
	r.one.Lock()
	defer r.one.Unlock()
	time.Sleep(time.Until(r.next))
	begun := time.Now()
	defer func() { r.next = time.Now().Add((shareForBodies - 1) * time.Since(begun)) }()
	how()
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

// beatNames are the members of heartbeats (HeartbeatData, ConsumerData, ProducerData, SubscriptionData of 5.3.3), also
// those that aren't looked at: fastjson drops what it has read of an object when another member is of a wrong kind.
var beatNames = wire.NamesOf(
	"clientID", "consumerDataSet", "producerDataSet", "heartbeatFingerprint", "withoutSub",
	"groupName", "messageModel", "consumeType", "consumeFromWhere", "unitMode", "subscriptionDataSet",
	"topic", "subString", "tagsSet", "codeSet", "subVersion", "expressionType", "classFilterMode",
	"filterClassSource")

// word is a text, or a whole number of 64 bits, as clients of some languages write numbers and enumerations.
type word struct{}

// UnmarshalJSON judges a value. Errors: it is something else.
func (word) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' || string(text) == "null" {
		return nil
	}
	return json.Unmarshal(text, new(int64))
}

// subscription is SubscriptionData: what kind its members are of.
type subscription struct {
	Topic      string `json:"topic"`
	Expression string `json:"subString"`
	Tags       []word `json:"tagsSet"`
	Codes      []word `json:"codeSet"`
	Version    word   `json:"subVersion"`
	Type       string `json:"expressionType"`
	ByClass    bool   `json:"classFilterMode"`
	Class      string `json:"filterClassSource"`
}

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
		Client string `json:"clientID"`
		Reads  []struct {
			membership
			Type          word           `json:"consumeType"`
			Where         word           `json:"consumeFromWhere"`
			Unit          bool           `json:"unitMode"`
			Subscriptions []subscription `json:"subscriptionDataSet"`
		} `json:"consumerDataSet"`
		Writes []struct {
			Group string `json:"groupName"`
		} `json:"producerDataSet"`
		Fingerprint int32 `json:"heartbeatFingerprint"`
		WithoutSub  bool  `json:"withoutSub"`
	}
	if err := json.Unmarshal(body, &is); err != nil {
		return beat{}, err
	}
	b := beat{client: is.Client}
	for _, one := range is.Reads {
		b.reads = append(b.reads, one.membership)
	}
	for _, one := range is.Writes {
		b.writes = append(b.writes, one.Group)
	}
	if slices.Contains(b.writes, "") || slices.ContainsFunc(b.reads, membership.nameless) {
		return beat{}, errors.New("a group without a name")
	}
	return b, nil
}
