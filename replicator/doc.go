// Package replicator copies messages from a source cluster to a target cluster, and translates positions between the two.
//
// Each queue is one log with two replicas. A lane is the pair: the i-th queue of a topic in client order on either side. The
// lane reads its source queue with raw pulls, gives each message a stamp that says where the original lies, and appends it to
// the target queue with batch sends, which store everything else byte for byte. One batch is in flight per target queue, so
// that copies keep the order of their originals.
//
// Exact on a copy are body, properties, flag, the system flags that say how the body is to be read, born time and reconsume
// count. Brokers store the last three once per batch, so that a batch is cut where they change. New on a copy is what a broker
// sets itself: addresses, places, store time, transaction bits (a copy is never half a transaction), and its own properties.
//
// Nothing is kept outside the two clusters. The stamps on the target say what was copied: a lane that starts reads the tail of
// its target queue and goes on behind the newest stamp, after a kill as after an ambiguous send, when nothing can be on its way
// to the queue any more. A lock on the target queue keeps a second copier away. What a lane has copied is committed as consumer
// offset of the lanes' group, on the source as progress that every dashboard can show, on the target as a hint where the tail
// begins. Brokers forget locks and the last seconds of commits when they are killed, so that a lane asks and commits again, and
// what was committed is checked against stamps.
//
// A lane whose next step isn't certain to be right stops with a fault that names the queue, the offsets and what to do; the
// other lanes go on. A broker that is down or busy isn't a fault: the lane waits for it and says so.
package replicator
