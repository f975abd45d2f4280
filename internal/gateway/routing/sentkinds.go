package routing

import "sync/atomic"

// SentKinds are what kinds of messages brokers have taken of a topic since the gateway began.
type SentKinds struct {
	Transactions atomic.Bool
	Longest      atomic.Int64  // body of a message, or of a batch, as it is sent, in bytes
	Levels       atomic.Uint64 // of delays: bit n for level n
	Timer        atomic.Int64  // the longest delay by a timer, in seconds
}

// SentMessage is what is noted of a message.
type SentMessage struct {
	Size        int32 // of its body, as it is sent, in bytes
	Transaction bool  // it is the first half of one
	Level       uint8 // of a delay; 0: none
	Timer       int32 // for how long a timer holds it back, in seconds; 0: there is none
}

// Note takes note of one that a broker has stored.
func (k *SentKinds) Note(c SentMessage) {
	if c.Transaction && !k.Transactions.Load() {
		k.Transactions.Store(true)
	}
	raise(&k.Longest, int64(c.Size))
	raise(&k.Timer, int64(c.Timer))
	if bit := uint64(1) << c.Level; c.Level > 0 && k.Levels.Load()&bit == 0 {
		k.Levels.Or(bit)
	}
}

// raise makes a number at least that great.
func raise(n *atomic.Int64, to int64) {
	for before := n.Load(); to > before && !n.CompareAndSwap(before, to); before = n.Load() {
	}
}
