// Package replicator copies messages from a source cluster to a target cluster, and translates
// positions between the two.
//
// Each queue is one log with two replicas. A lane is the pair: the i-th queue of a topic in client
// order on either side. The lane reads its source queue with raw pulls, gives each message a stamp
// that says where the original lies, and appends it to the target queue with batch sends, which
// store everything else byte for byte. One batch is in flight per target queue, so that copies keep
// the order of their originals.
//
// Exact on a copy are body, properties, flag, the system flags that say how the body is to be read,
// and the reconsume count. Brokers store the last two once per batch, so that a batch is cut where
// they change. Born times are exact while a lane keeps up. One that is behind puts messages born
// within a second into one batch, which has one born time: the stamp carries the exact one, and
// whoever compares reads it there; Options.ExactBorn has none of that, at the price of small
// batches. New on a copy is what a broker sets itself: addresses, places, store time, transaction
// bits (a copy is never half a transaction), and its own properties.
//
// Lanes may go both ways at once. A copy is what carries a stamp made for the queue where it lies,
// with an offset greater than all before it: an application that sends on what it received, with
// all its properties, is thus told from a lane. What came from the other side isn't copied back,
// nor what came through it from a third. The lane of the other direction is told by the answers to
// sends what was written where it reads, so that it reads only what applications wrote there.
//
// Nothing is kept outside the two clusters. The stamps on the target say what was copied: a lane
// that starts reads the tail of its target queue and goes on behind the newest stamp, after a kill
// as after an ambiguous send, when nothing can be on its way to the queue any more. A lock on the
// target queue keeps a second copier away. What a lane has copied is committed as consumer offset
// of the lanes' group, on the source as progress that every dashboard can show, on the target as a
// hint where the tail begins. Brokers forget locks and the last seconds of commits when they are
// killed, so that a lane asks and commits again, and what was committed is checked against stamps.
//
// A queue that applications have left (Positions.Leave) says so by a position of one more group.
// Lanes ask for it when they read something that an application wrote, and tell who wrote where
// nobody should any more.
//
// A lane whose next step isn't certain to be right stops with a fault that names the queue, the
// offsets and what to do; the other lanes go on. A broker that is down or busy isn't a fault: the
// lane waits for it and says so.
package replicator
