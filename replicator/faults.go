package replicator

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"rocketshift/internal/rocketmq"
)

// The types of lane faults.
const (
	SourceTruncated   = "SourceTruncated"   // messages expired on the source before they were copied
	SourceReset       = "SourceReset"       // the source queue was emptied or made anew
	SourceGone        = "SourceGone"        // the source has no such topic or queue any more
	SourceUnreadable  = "SourceUnreadable"  // the source doesn't deliver messages that it should hold
	TargetGone        = "TargetGone"        // the target has no such topic or queue any more
	TargetTruncated   = "TargetTruncated"   // copies were lost on the target, and their originals expired
	TargetRefused     = "TargetRefused"     // the target doesn't take a message
	PropertiesTooLong = "PropertiesTooLong" // a message has no room left for the stamp
)

// LaneFault says why a lane stopped. From and To are the offsets concerned on the queue that it reads: from From up to, not including, To.
type LaneFault struct {
	Side   string `json:"side,omitempty"` // SideTarget of a reverse lane, which reads there
	Topic  string `json:"topic"`
	Broker string `json:"broker"` // of the queue that the lane reads
	Queue  int    `json:"queue"`
	Type   string `json:"type"`
	From   int64  `json:"from"`
	To     int64  `json:"to"`
	Cause  string `json:"cause"`
	Next   string `json:"next"` // what a person can do
}

func (f *LaneFault) Error() string {
	return fmt.Sprintf("%s: topic %s, %s queue %s/%d, offsets %d to %d: %s. %s", f.Type, f.Topic, cmp.Or(f.Side, SideSource), f.Broker, f.Queue, f.From, f.To,
		f.Cause, f.Next)
}

// OfNewTopic reports whether the fault is what a topic shows that was deleted and made anew, so that the answer Restart fits it. Where lanes go
// both ways it must be the source's: of a target that was made anew nobody could tell what applications had written there.
func (f *LaneFault) OfNewTopic(bothWays bool) bool {
	if bothWays && f.Side == SideTarget {
		return f.Type == TargetTruncated
	}
	return f.Type == SourceReset || !bothWays && f.Type == TargetTruncated
}

// Fault makes a fault of the lane.
func (l Lane) Fault(kind string, from, to int64, next, cause string, args ...any) *LaneFault {
	return &LaneFault{
		Topic: l.Topic, Broker: l.Source.Broker, Queue: l.Source.ID, Type: kind,
		From: from, To: to, Cause: fmt.Sprintf(cause, args...), Next: next,
	}
}

// suspicion is a fault that may still go by itself, such as offsets that a restarting broker doesn't show yet. Seen several
// times in a row it is one.
type suspicion struct{ *LaneFault }

func (s suspicion) Unwrap() error { return s.LaneFault }

// unsure is an error after which nobody knows whether the batch was stored.
type unsure struct{ error }

func (u unsure) Unwrap() error { return u.error }

// pullFault judges an answer of the source to a pull. Errors that aren't the lane's own come back as they are.
func pullFault(l Lane, err error, at int64) error {
	switch code := rocketmq.CodeOf(err); {
	case code < 0, rocketmq.Retryable(err), rocketmq.Denied(err), code == rocketmq.SubscriptionGroupGone:
		return err
	case code == rocketmq.TopicNotExist, noSuchQueue(err):
		return l.Fault(SourceGone, at, at, "Leave the topic out, or restore it and try again", "%v", err)
	default:
		return suspicion{l.Fault(SourceUnreadable, at, at, "Check the queue on the source broker, then try again", "%v", err)}
	}
}

// sendFault judges an answer of the target to a batch.
func sendFault(l Lane, err error, from, to int64) error {
	const next = "Look at the message on the source and at the target's limits (maxMessageSize): raise them and try again, or skip the message"
	if fault, yes := isFault(err); yes {
		return fault
	}
	switch code := rocketmq.CodeOf(err); {
	case errors.Is(err, rocketmq.ErrBatchTooLarge):
		return l.Fault(TargetRefused, from, to,
			"Skip the message: RocketMQ's clients and brokers read no larger frames", "%v", err)
	case rocketmq.Retryable(err), rocketmq.Denied(err):
		return err
	case code < 0: // a time-out or a broken connection
		return unsure{err}
	case code == rocketmq.TopicNotExist, noSuchQueue(err):
		return l.Fault(TargetGone, from, to, "Create the topic on the target with as many queues as the source has (ImportMetadata does), then try again", "%v", err)
	case code == rocketmq.MessageIllegal:
		return l.Fault(TargetRefused, from, to, next, "%v", err)
	default: // brokers use the code of an unknown error for refusals too
		return unsure{suspicion{l.Fault(TargetRefused, from, to, next, "%v", err)}}
	}
}

// noSuchQueue reports whether a broker says that the topic has fewer queues. Its code for that is another one in each version,
// and common to many refusals; the words are the same from 4.9 to 5.5.
func noSuchQueue(err error) bool {
	var refusal *rocketmq.Error
	return errors.As(err, &refusal) && strings.Contains(refusal.Remark, "queueId[") && strings.Contains(refusal.Remark, "is illegal")
}

// refused reports whether the target doesn't take a message for what it is.
func refused(err error) bool {
	var fault *LaneFault
	return errors.As(err, &fault) && fault.Type == TargetRefused
}

func isFault(err error) (*LaneFault, bool) {
	var maybe suspicion
	var fault *LaneFault
	if errors.As(err, &maybe) || !errors.As(err, &fault) {
		return nil, false
	}
	return fault, true
}

// madeAnew is what to do where a queue isn't the one that was copied.
const madeAnew = "Find out whether the topic was deleted and made anew. If so, the answer restart copies all that the lane's source holds; what was copied before counts as the old topic's. Lanes that go both ways take it where the topic is new on the source"

const startAgain = "then try again"

func (l *runner) truncated(next, first int64) error {
	return l.Fault(SourceTruncated, next, first,
		fmt.Sprintf("They can't be copied any more. To go on without them, skip them, or set the offset of group %s on this queue to %d and start again", l.options.Group, first),
		"the source queue now begins at %d; messages before it expired before they were copied", first)
}

func (l *runner) fell(next, end int64) error {
	return suspicion{l.Fault(SourceReset, next, end, madeAnew,
		"the source queue ends at %d, before the lane's position %d", end, next)}
}

func (l *runner) unreadable(from, to int64) error {
	return suspicion{l.Fault(SourceUnreadable, from, to, "Check the source broker's store and log, "+startAgain,
		"the source queue holds these offsets but doesn't deliver them")}
}

func (l *runner) propertiesTooLong(offset int64, size int) error {
	return l.Fault(PropertiesTooLong, offset, offset+1, "Skip the message, leave the topic out, or wait until it has expired",
		"with the stamp its properties take %d bytes, and brokers that store more than %d lose other messages", size, rocketmq.MaxProperties)
}

func (l *runner) targetFell(from, position, tail int64) error {
	return l.Fault(TargetTruncated, from, from, madeAnew,
		"the target stored at position %d, before the end %d of the copies made so far", position, tail)
}
