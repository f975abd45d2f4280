package gateway

import (
	"math/rand/v2"
	"sync/atomic"
)

// opaques are the numbers (RemotingCommand.opaque) of the requests that go to servers. Each gets
// one that no other one of this process has, so that an answer can only be that of its request:
// clients choose their numbers themselves, may use one twice at the same time, and could guess
// those of requests that are made here. No signature is over the number
// (AclUtils.combineRequestContent of 4.9.7 and 5.3.3). Answers get the client's own number back.
type opaques struct{ last atomic.Uint32 }

const (
	// lowestOpaque is where the numbers begin where nothing is known of those before: clients count
	// from 0, and a predecessor of before had their numbers under way.
	lowestOpaque = 1 << 30
	// opaquesRange is how many numbers are above it that are positive.
	opaquesRange = 1 << 30
)

// begin begins at a number that nobody can know.
func (o *opaques) begin() { o.last.Store(lowestOpaque + rand.Uint32N(opaquesRange)) }

// next is the next number. After 2³² of them they come again: hours later at the earliest.
func (o *opaques) next() int32 { return int32(o.last.Add(1)) }

// goOn goes on behind the predecessor's last number; 0: it doesn't say, as those of before.
func (o *opaques) goOn(last uint32) {
	if last != 0 {
		o.last.Store(last)
	}
}
