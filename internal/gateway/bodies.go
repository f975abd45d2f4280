package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

const (
	// mostElements is how much a body may hold, in members, elements, objects and lists: a
	// heartbeat of 1,000 groups with 10 topics each has 120,000. A body of 4 MiB could hold two
	// millions, of 100 bytes each here.
	mostElements = 250_000
	// perElement is what one takes while a body is read, in bytes: of names that were seen, or of
	// memberships in a list that grows.
	perElement = 128
	// perMembership is what one takes that is kept.
	perMembership = 48
)

// costOfBeat is what a heartbeat takes that is kept: its frame here and on its way to the target,
// and its names.
func costOfBeat(size int, b beat) int {
	return 3*size + perMembership*(len(b.reads)+len(b.writes)) + perSubscription*len(b.subscriptions)
}

// takes takes memory for a request, or refuses it.
func (s *session) takes(f *wire.Frame, bytes int) bool {
	s.flush()
	if err := s.memory.Take(bytes); err != nil {
		s.refuse(f, remoting.ServiceNotAvailable, err.Error())
		return false
	}
	return true
}

// longestName is how long a client's id may be that is kept, in bytes, and an access key: stock
// clients' ids, of an address, a process and a time, have 60. They are told in the state, in logs
// and to other gateways.
const longestName = 512

// namesFit reports whether the names that a heartbeat says are as long as clients' are.
func (b beat) namesFit() error {
	if len(b.client) > longestName {
		return fmt.Errorf("a client id of %d bytes, at most %d", len(b.client), longestName)
	}
	if n := len(b.reads) + len(b.writes); n > mostMemberships {
		return fmt.Errorf("%d groups of one client, at most %d", n, mostMemberships)
	}
	long := func(group string) bool { return len(group) > longestGroup }
	if slices.ContainsFunc(b.writes, long) ||
		slices.ContainsFunc(b.reads, func(m membership) bool { return long(m.Group) }) {
		return fmt.Errorf("a group whose name has more than %d bytes", longestGroup)
	}
	return nil
}

// beatNames are the members of heartbeats (HeartbeatData, ConsumerData, ProducerData,
// SubscriptionData of 5.3.3), also those that aren't looked at: fastjson drops what it has read of
// an object when another member is of a wrong kind.
var beatNames = wire.NamesOf(
	"clientID", "consumerDataSet", "producerDataSet", "heartbeatFingerprint", "withoutSub",
	"groupName", "messageModel", "consumeType", "consumeFromWhere", "unitMode", "subscriptionDataSet",
	"topic", "subString", "tagsSet", "codeSet", "subVersion", "expressionType", "classFilterMode",
	"filterClassSource")

// word is a text, or a whole number of 64 bits, as clients of some languages write numbers and
// enumerations.
type word struct{}

// UnmarshalJSON judges a value. Errors: it is something else.
func (word) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '"' || string(text) == "null" {
		return nil
	}
	if _, err := strconv.ParseInt(string(text), 10, 64); err != nil { // JSON has no other forms of it
		return fmt.Errorf("%.100q is neither a text nor a whole number", text)
	}
	return nil
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

// heartbeatData is HeartbeatData: what kind its members are of.
type heartbeatData struct {
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

// beat is what a heartbeat says.
type beat struct {
	client        string
	reads         []membership
	writes        []string // producer groups
	subscriptions subscriptions
}

// identity tells clients apart. Two applications may have one id, such as those of one host
// network: then their groups differ.
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
	var is heartbeatData
	if err := json.Unmarshal(body, &is); err != nil {
		return beat{}, err
	}
	b := beat{client: is.Client}
	for _, one := range is.Reads {
		b.reads = append(b.reads, one.membership)
		b.subscriptions.subscribe(one.Group, one.Subscriptions)
	}
	slices.Sort(b.subscriptions)
	for _, one := range is.Writes {
		b.writes = append(b.writes, one.Group)
	}
	if slices.Contains(b.writes, "") || slices.ContainsFunc(b.reads, membership.nameless) {
		return beat{}, errors.New("a group without a name")
	}
	return b, b.namesFit()
}
