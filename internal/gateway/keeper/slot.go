package keeper

import "sync/atomic"

// version is that of the memory and of what is said about it. Processes of others take nothing
// over.
const version = 1

// Words of a slot, which says how far the gateway has come with one connection.
const (
	wordNumber = iota // of the connection, which no other one has; 0: the slot is free
	wordIn            // bytes that the kernel has counted as read when all whole frames are handled
	wordOut           // and as written when all whole frames are out
	wordFrames        // whole ones that came
	wordFlags
	wordPushes // number of the last request to the client
	wordBeat   // which heartbeat brokers know the client by; 0: none
	wordOver   // calls that there was no room for, above 32 bits; below, when one last came
	wordBroker // the name of the broker that it is connected to the port of: its length, and it
)

const (
	brokerWords = 16
	mostBroker  = brokerWords*wordBytes - 1 // bytes of a broker's name: 127, as RocketMQ allows
	wordCalls   = wordBroker + brokerWords  // calls without an answer, two words each
	// mostCalls is how many calls are known: members ask for each queue of a broker at once.
	mostCalls = (slotWords - wordCalls) / 2
	slotWords = 128
	wordBytes = 8
	slotBytes = slotWords * wordBytes
)

// Flags of a connection.
const (
	flagVIP    = 1 << iota
	flagFailed // something that was to be written wasn't
)

// The first word of a call has its number in the lower 32 bits, and above them when it came. The
// second one has the offset of a pull.
const (
	callUsed   = 1 << 63
	callPull   = 1 << 62
	callBinary = 1 << 61
	callTime   = 1<<29 - 1 // seconds, more than the machine runs for
	timeAt     = 32
)

// staleAfter is after how many seconds nobody waits for an answer any more: stock clients wait for
// 30 s for pulls, and for less for all else.
const staleAfter = 120

// slot is one of the shared memory. Stores are in the order of the program: a process that is
// killed has made all up to some point, and none behind it.
type slot []uint64

func (s slot) get(word int) uint64 { return atomic.LoadUint64(&s[word]) }

func (s slot) set(word int, to uint64) { atomic.StoreUint64(&s[word], to) }

func (s slot) setBroker(name string) {
	var words [brokerWords]uint64
	words[0] = uint64(len(name))
	for i := range len(name) {
		words[(i+1)/wordBytes] |= uint64(name[i]) << (8 * ((i + 1) % wordBytes))
	}
	for i, word := range words {
		s.set(wordBroker+i, word)
	}
}

func (s slot) broker() string {
	name := make([]byte, s.get(wordBroker)&0xFF&mostBroker)
	for i := range name {
		name[i] = byte(s.get(wordBroker+(i+1)/wordBytes) >> (8 * ((i + 1) % wordBytes)))
	}
	return string(name)
}

// stale reports whether what came at a time is too old to be waited for.
func stale(at, now uint64) bool { return (now-at)&callTime > staleAfter }

func wordOf(c Call, now uint64) uint64 {
	word := callUsed | now&callTime<<timeAt | uint64(uint32(c.Opaque))
	if c.Pull {
		word |= callPull
	}
	if c.Binary {
		word |= callBinary
	}
	return word
}

func callAt(word, offset uint64) Call {
	return Call{
		Opaque: int32(uint32(word)), Offset: int64(offset),
		Pull: word&callPull != 0, Binary: word&callBinary != 0,
	}
}

// region is the shared memory: slots, one behind the other.
type region []uint64

func (r region) slots() int { return len(r) / slotWords }

func (r region) slot(i uint32) slot { return slot(r[int(i)*slotWords : (int(i)+1)*slotWords]) }
