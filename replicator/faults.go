package replicator

import (
	"errors"
	"fmt"
	"strings"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// suspicion may become a fault, or go away by itself, such as offsets that a restarting broker
// doesn't show yet. Several in a row are a fault.
type suspicion struct{ *lane.Fault }

func (s suspicion) Unwrap() error { return s.Fault }

// unsure is an error after which nobody knows whether the batch was stored.
type unsure struct{ error }

func (u unsure) Unwrap() error { return u.error }

// pullFault is the fault that the source's error to a pull stands for. Other errors, such as those
// of a broker that is down, come back unchanged.
func pullFault(l lane.Lane, err error, at int64) error {
	switch code := remoting.CodeOf(err); {
	case code < 0, remoting.Retryable(err), remoting.Denied(err), code == remoting.SubscriptionGroupGone:
		return err
	case code == remoting.TopicNotExist, noSuchQueue(err):
		return l.Fault(lane.SourceGone, at, at, "Leave the topic out, or restore it and try again", "%v", err)
	default:
		return suspicion{
			l.Fault(lane.SourceUnreadable, at, at, "Check the queue on the source broker, then try again", "%v", err),
		}
	}
}

// sendFault is the fault that the target's error to a batch stands for.
func sendFault(l lane.Lane, err error, from, to int64) error {
	const next = "Look at the message on the source and at the target's limits (maxMessageSize): raise them " +
		"and try again, or skip the message"
	if fault, yes := isFault(err); yes {
		return fault
	}
	switch code := remoting.CodeOf(err); {
	case errors.Is(err, rocketmq.ErrBatchTooLarge):
		return l.Fault(lane.TargetRefused, from, to,
			"Skip the message: RocketMQ's clients and brokers read no larger frames", "%v", err)
	case remoting.Retryable(err), remoting.Denied(err):
		return err
	case code < 0: // a time-out or a broken connection
		return unsure{err}
	case code == remoting.TopicNotExist, noSuchQueue(err):
		return l.Fault(
			lane.TargetGone,
			from,
			to,
			"Create the topic on the target with as many queues as the source has (ImportMetadata does), "+
				"then try again",
			"%v",
			err,
		)
	case code == remoting.MessageIllegal:
		return l.Fault(lane.TargetRefused, from, to, next, "%v", err)
	default: // brokers use the code of an unknown error for refusals too
		return unsure{suspicion{l.Fault(lane.TargetRefused, from, to, next, "%v", err)}}
	}
}

// noSuchQueue reports whether a broker says that the topic has fewer queues. The code for that
// differs between versions and stands for other refusals too; the words are the same from 4.9 to
// 5.5.
func noSuchQueue(err error) bool {
	var refusal *remoting.Error
	return errors.As(err, &refusal) && strings.Contains(refusal.Remark, "queueId[") &&
		strings.Contains(refusal.Remark, "is illegal")
}

// refused reports whether the target refuses a message because of its content.
func refused(err error) bool {
	var fault *lane.Fault
	return errors.As(err, &fault) && fault.Type == lane.TargetRefused
}

func isFault(err error) (*lane.Fault, bool) {
	var maybe suspicion
	var fault *lane.Fault
	if errors.As(err, &maybe) || !errors.As(err, &fault) {
		return nil, false
	}
	return fault, true
}

// madeAnew is what to do where a queue isn't the one that was copied.
const madeAnew = "Find out whether the topic was deleted and made anew. If so, the answer restart copies all " +
	"that the lane's source holds; what was copied before counts as the old topic's. Lanes that go both ways " +
	"take it where the topic is new on the source"

const startAgain = "then try again"

func (l *laneWorker) truncated(next, first int64) error {
	return l.Fault(
		lane.SourceTruncated,
		next,
		first,
		fmt.Sprintf(
			"They can't be copied any more. To go on without them, skip them, or set the offset of group %s "+
				"on this queue to %d and start again",
			l.options.Group,
			first,
		),
		"the source queue now begins at %d; messages before it expired before they were copied",
		first,
	)
}

func (l *laneWorker) fell(next, end int64) error {
	return suspicion{l.Fault(lane.SourceReset, next, end, madeAnew,
		"the source queue ends at %d, before the lane's position %d", end, next)}
}

func (l *laneWorker) unreadable(from, to int64) error {
	return suspicion{l.Fault(lane.SourceUnreadable, from, to, "Check the source broker's store and log, "+startAgain,
		"the source queue holds these offsets but doesn't deliver them")}
}

func (l *laneWorker) propertiesTooLong(offset int64, size int) error {
	return l.Fault(lane.PropertiesTooLong, offset, offset+1,
		"Skip the message, leave the topic out, or wait until it has expired",
		"with the stamp its properties take %d bytes, and brokers that store more than %d lose other messages",
		size, remoting.MaxProperties)
}

func (l *laneWorker) targetFell(from, position, tail int64) error {
	return l.Fault(lane.TargetTruncated, from, from, madeAnew,
		"the target stored at position %d, before the end %d of the copies made so far", position, tail)
}
