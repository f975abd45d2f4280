package api

import (
	"fmt"
	"strings"
	"time"

	"rocketshift/replicator/lane"
)

// Copied is how many messages the lanes of one shard have copied since the migration's lanes first
// began. The lanes' own counts begin at each start.
type Copied struct {
	Broker string `json:"broker"`
	Part   int    `json:"part,omitempty"`
	There  int64  `json:"there"`
	Back   int64  `json:"back,omitempty"`
}

// AtLeast is the count after a heartbeat or a result: counts never fall.
func (c Copied) AtLeast(p lane.Progress) Copied {
	c.There = max(c.There, p.Copied)
	if p.Back != nil {
		c.Back = max(c.Back, p.Back.Copied)
	}
	return c
}

// RateChange bounds what the lanes copy in a second: all of them, or those of one topic.
type RateChange struct {
	lane.Rate
	Topic  string    `json:"topic,omitempty"` // absent: all topics together
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at,omitzero"` // set by the workflow
}

// Check says why a rate can't be set, or nil.
func (c RateChange) Check() error {
	if strings.TrimSpace(c.By) == "" {
		return fmt.Errorf("setRate: nobody is named: say who asks in \"by\"")
	}
	if c.Messages < 0 || c.Bytes < 0 {
		return fmt.Errorf(
			"setRate: %g messages and %g bytes a second: neither can be negative; 0 lifts a bound", c.Messages,
			c.Bytes,
		)
	}
	return nil
}
