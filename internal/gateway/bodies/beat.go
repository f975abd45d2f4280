package bodies

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rocketshift/internal/gateway/wire"
)

const (
	// MostElements is how much a body may hold, in members, elements, objects and lists: a
	// heartbeat of 1,000 groups with 10 topics each has 120,000. A body of 4 MiB could hold two
	// millions, of 100 bytes each here.
	MostElements = 250_000
	// perElement is what one takes while a body is read, in bytes: of names that were seen, or of
	// memberships in a list that grows.
	perElement = 128
	// perMembership is what one takes that is kept.
	perMembership = 48
)

// CostOf is what a heartbeat takes that is kept: its frame here and on its way to the target,
// and its names.
func CostOf(size int, b Heartbeat) int {
	return 3*size + perMembership*(len(b.Reads)+len(b.Writes)) + perSubscription*len(b.Subscriptions)
}

// LongestName is how long a client's id may be that is kept, in bytes, and an access key: stock
// clients' ids, of an address, a process and a time, have 60. They are told in the state, in logs
// and to other gateways.
const LongestName = 512

// namesFit reports whether the names that a heartbeat says are as long as clients' are.
func (b Heartbeat) namesFit() error {
	if len(b.Client) > LongestName {
		return fmt.Errorf("a client id of %d bytes, at most %d", len(b.Client), LongestName)
	}
	if n := len(b.Reads) + len(b.Writes); n > MostMemberships {
		return fmt.Errorf("%d groups of one client, at most %d", n, MostMemberships)
	}
	long := func(group string) bool { return len(group) > LongestGroup }
	if slices.ContainsFunc(b.Writes, long) ||
		slices.ContainsFunc(b.Reads, func(m Membership) bool { return long(m.Group) }) {
		return fmt.Errorf("a group whose name has more than %d bytes", LongestGroup)
	}
	return nil
}

// BeatNames are the members of heartbeats (HeartbeatData, ConsumerData, ProducerData,
// SubscriptionData of 5.3.3), also those that aren't looked at: fastjson drops what it has read of
// an object when another member is of a wrong kind.
var BeatNames = wire.NamesOf(
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

// Subscription is SubscriptionData: what kind its members are of.
type Subscription struct {
	Topic      string `json:"topic"`
	Expression string `json:"subString"`
	Tags       []word `json:"tagsSet"`
	Codes      []word `json:"codeSet"`
	Version    word   `json:"subVersion"`
	Type       string `json:"expressionType"`
	ByClass    bool   `json:"classFilterMode"`
	Class      string `json:"filterClassSource"`
}

// HeartbeatData is HeartbeatData: what kind its members are of.
type HeartbeatData struct {
	Client string `json:"clientID"`
	Reads  []struct {
		Membership
		Type          word           `json:"consumeType"`
		Where         word           `json:"consumeFromWhere"`
		Unit          bool           `json:"unitMode"`
		Subscriptions []Subscription `json:"subscriptionDataSet"`
	} `json:"consumerDataSet"`
	Writes []struct {
		Group string `json:"groupName"`
	} `json:"producerDataSet"`
	Fingerprint int32 `json:"heartbeatFingerprint"`
	WithoutSub  bool  `json:"withoutSub"`
}

// Heartbeat is what a heartbeat says.
type Heartbeat struct {
	Client        string
	Reads         []Membership
	Writes        []string // producer groups
	Subscriptions Subscriptions
}

// Identity tells clients apart. Two applications may have one id, such as those of one host
// network: then their groups differ.
func (b Heartbeat) Identity() string {
	if b.Client == "" {
		return ""
	}
	var all []string
	for _, m := range b.Reads {
		all = append(all, "reads "+m.Group)
	}
	for _, group := range b.Writes {
		all = append(all, "writes "+group)
	}
	slices.Sort(all)
	return b.Client + "\n" + strings.Join(slices.Compact(all), "\n")
}

// ParseHeartbeat reads a heartbeat's body. Errors: ErrTwoReadings, and those of bodies that are
// none.
func ParseHeartbeat(body []byte) (Heartbeat, error) {
	if err := OneReading(body, BeatNames); err != nil {
		return Heartbeat{}, err
	}
	var is HeartbeatData
	if err := json.Unmarshal(body, &is); err != nil {
		return Heartbeat{}, err
	}
	b := Heartbeat{Client: is.Client}
	for _, one := range is.Reads {
		b.Reads = append(b.Reads, one.Membership)
		b.Subscriptions.subscribe(one.Group, one.Subscriptions)
	}
	slices.Sort(b.Subscriptions)
	for _, one := range is.Writes {
		b.Writes = append(b.Writes, one.Group)
	}
	if slices.Contains(b.Writes, "") || slices.ContainsFunc(b.Reads, Membership.nameless) {
		return Heartbeat{}, errors.New("a group without a name")
	}
	return b, b.namesFit()
}

// Elements counts what a body holds: by its commas and brackets, those in texts among them, which
// are few.
func Elements(body []byte) (n int) {
	for _, c := range [...]string{",", "{", "["} {
		n += bytes.Count(body, []byte(c))
	}
	return n
}

// CostToRead is what a request of so many bytes may take while its body of so many elements is
// read, and what is made of it, in bytes.
func CostToRead(size, elements int) int { return 3*size + perElement*(1+elements) }

// LongestGroup is how long a group's name may be (CHARACTER_MAX_LENGTH of Validators, 4.9.7).
const LongestGroup = 255

// Shares reports whether a heartbeat names one of the groups.
func (b Heartbeat) Shares(reads []Membership, writes []string) bool {
	if len(b.Reads)+len(b.Writes)+len(reads)+len(writes) == 0 {
		return true
	}
	return slices.ContainsFunc(reads, func(m Membership) bool {
		return slices.ContainsFunc(b.Reads, func(n Membership) bool { return n.Group == m.Group })
	}) || slices.ContainsFunc(writes, func(group string) bool { return slices.Contains(b.Writes, group) })
}
