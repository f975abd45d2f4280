// Package metrics counts what a gateway does, and tells it as Prometheus reads it. Counting takes a
// few atomic additions and no memory, as it is on the way of every message. No label is anything
// that a client chooses.
package metrics

import (
	"sync/atomic"
	"time"
)

// Counts are what one gateway counts. The zero value is ready.
type Counts struct {
	Sends     [2]Histogram // until servers answered sends, by Side
	HeldSends atomic.Int64 // that wait now
	HeldPulls atomic.Int64
	Upstreams atomic.Int64 // connections to servers that are open now

	classes [classes]traffic
	moves   [kinds][results]atomic.Int64
	holds   [kinds]Histogram
}

// traffic is what passes of a class. Requests and answers are counted by different processors, so
// they lie apart.
type traffic struct {
	requests, in atomic.Int64
	_            [cacheLine]byte
	out          atomic.Int64
	_            [cacheLine]byte
}

// cacheLine is what processors take from each other at once: 64 bytes, on some 128.
const cacheLine = 128

// Side is a label.
type Side int

// Sides.
const (
	Source Side = iota
	Target
)

var sideNames = [2]string{"source", "target"}

// Class is what a request is about.
type Class int

// Classes of requests.
const (
	Send Class = iota
	Pull
	Position // asking for one, and committing one
	Offset   // of the first and the last message
	Member   // heartbeats, and who a group's members are
	Lock
	SendBack
	Transaction
	Names // anything that is asked of the name server
	Other
	classes
)

var classNames = [classes]string{
	"send", "pull", "position", "offset", "member", "lock", "send_back", "transaction", "names", "other",
}

// Request counts a request of a client with its bytes.
func (c *Counts) Request(of Class, bytes int) {
	c.classes[of].requests.Add(1)
	c.classes[of].in.Add(int64(bytes))
}

// Answer counts a server's answer with its bytes.
func (c *Counts) Answer(of Class, bytes int) { c.classes[of].out.Add(int64(bytes)) }

// Kind is what a move moves.
type Kind int

const (
	home Kind = iota
	side
	authority
	otherKind
	kinds
)

var kindNames = [kinds]string{"home", "side", "authority", "other"}

func kindOf(name string) Kind {
	for k := home; k < otherKind; k++ {
		if kindNames[k] == name {
			return k
		}
	}
	return otherKind
}

// Result is what became of a move.
type Result int

// Results.
const (
	Done    Result = iota
	Failed         // it was tried, and everything is as it was
	Refused        // nothing was tried
	results
)

var resultNames = [results]string{"done", "failed", "refused"}

// Moved counts a move that this gateway led.
func (c *Counts) Moved(kind string, r Result) { c.moves[kindOf(kind)][r].Add(1) }

// Held counts a round in which sends or pulls waited here, and how long.
func (c *Counts) Held(kind string, took time.Duration) { c.holds[kindOf(kind)].Observe(took) }
