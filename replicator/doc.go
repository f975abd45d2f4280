// Package replicator copies messages from a source cluster to a target cluster, and translates
// positions between the two.
//
// Each queue is one log with two replicas. A lane is the pair: the i-th queue of a topic in client
// order on either side. The lane reads its source queue with raw pulls, gives each message a stamp
// that says where the original lies, and appends it to the target queue with batch sends, which
// store everything else byte for byte. One batch is in flight per target queue, so that copies keep
// the order of their originals.
//
// A copy has exactly the original's body, properties, flag, reconsume count, and the system flags
// that say how to read the body. Brokers store the last two once per batch, so a batch ends where
// they change. Born times are exact while a lane keeps up. A lane with a lag puts messages that
// were born within a second into one batch, which has one born time; the stamp carries the exact
// one, and verification reads it there. With Options.ExactBorn born times are always exact, and
// batches are smaller. The broker sets the rest of a copy: addresses, places, store time,
// transaction bits (a copy is never half a transaction), and the broker's own properties.
//
// Lanes may copy both ways at once. A message is a copy if its stamp was made for the queue where
// it lies, and its offset is greater than all stamped offsets before it. So an application that
// sends a message again, with all its properties, is told from a lane. A lane doesn't copy back
// what came from the other side, nor what came from a third cluster through the other side. The
// answers to its sends tell the lane of the other direction what it has written, so that this one
// reads only what applications wrote.
//
// Nothing is kept outside the two clusters. The stamps on the target say what was copied. A lane
// that starts reads the tail of its target queue, and goes on after the newest stamp. It does the
// same after an ambiguous send, as soon as nothing can be on its way to the queue any more. A lock
// on the target queue keeps a second copier away. A lane commits its progress as consumer offset of
// the lanes' group on the source, where every dashboard can show it, and on the target as a hint
// where the tail begins. Brokers that are killed forget locks and the last seconds of commits. So a
// lane takes the lock and commits again, and checks what was committed against stamps.
//
// When applications have left a queue (Positions.Leave), a position of one more group says so. A
// lane that reads something that an application wrote asks for that position, and names who still
// writes to a queue that was left.
//
// A lane whose next step isn't certain to be right stops with a fault, which names the queue, the
// offsets and what to do. The other lanes go on. A broker that is down or busy isn't a fault: the
// lane waits for it and says so.
package replicator
