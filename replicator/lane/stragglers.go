package lane

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Straggler is an application that goes on writing to a queue that was left (Positions.Leave). What
// it writes is copied like everything else. The numbers are those of one run.
type Straggler struct {
	Side      Side      `json:"side"` // that it writes on
	Topic     string    `json:"topic"`
	Broker    string    `json:"broker"` // of the queue that it writes to
	Queue     int       `json:"queue"`
	Sender    string    `json:"sender"` // address of its newest connection; of the proxy, where it sends through one
	Messages  int64     `json:"messages"`
	PerSecond float64   `json:"perSecond"`
	Last      time.Time `json:"last"` // when its newest message was stored
}

func (s Straggler) String() string {
	return fmt.Sprintf("%s writes to topic %s, %s queue %s/%d: %d messages, %.1f a second, the last at %s",
		s.Sender, s.Topic, s.Side, s.Broker, s.Queue, s.Messages, s.PerSecond, s.Last.UTC().Format(time.DateTime))
}

// BusiestFirst sorts stragglers: those that write most a second, then those that wrote most.
func BusiestFirst(all []Straggler) {
	slices.SortFunc(all, func(a, b Straggler) int {
		return cmp.Or(cmp.Compare(b.PerSecond, a.PerSecond), cmp.Compare(b.Messages, a.Messages),
			cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Broker, b.Broker), cmp.Compare(a.Queue, b.Queue),
			cmp.Compare(a.Sender, b.Sender))
	})
}
