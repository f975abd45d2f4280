package rocketmq

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"rocketshift/internal/rocketmq/remoting"
)

// PullStatus is how a pull ended.
type PullStatus int

// Outcomes of a pull.
const (
	PullFound       PullStatus = iota
	PullNoNew                  // nothing at the offset yet
	PullRetryNow               // nothing matched or files are being removed: go on at Next
	PullMovedOffset            // the offset is outside the queue: Next is its beginning or end
)

// PullRequest reads a queue from an offset on.
type PullRequest struct {
	Group  string
	Topic  string
	Queue  int
	Offset int64
	Max    int           // messages; brokers cap it (32 in memory, 8 from disk, 256 KiB by default)
	Wait   time.Duration // how long the broker may hold the request when there is nothing; 0 answers at once
	Filter Filter        // what is left out; the zero value leaves nothing out
}

// Filter is how a subscription filters (SubscriptionData: expressionType, subString).
type Filter struct {
	Kind       string // TAG or SQL92; empty for TAG
	Expression string // empty for everything
}

// PullResult is what was read. Message i sits at position Offset+i of the queue.
type PullResult struct {
	Status   PullStatus
	Next     int64
	Min, Max int64 // the queue holds [Min, Max)
	Messages []remoting.Message

	frame *remoting.Buffer
}

// Size is how many bytes of memory the messages take until they are released.
func (r *PullResult) Size() int64 {
	if r.frame == nil {
		return 0
	}
	return int64(cap(r.frame.Bytes))
}

// Release gives the memory of the messages back, for callers that read many. Their bodies and
// properties must not be used any more.
func (r *PullResult) Release() {
	if r.frame != nil {
		r.frame.Messages = r.Messages
		r.frame.Release()
	}
	r.frame, r.Messages = nil, nil
}

// System flags of a pull (PullSysFlag): the subscription is in the request, so no heartbeat is
// needed.
const (
	pullSuspend      = 2
	pullSubscription = 4
)

// pullGrace is added to a long poll's wait: 5.x answers up to a few seconds late.
const pullGrace = 10 * time.Second

// Pull reads messages. The offset must lie within the queue: a broker writes an event message for
// each pull outside of it.
func (c *Client) Pull(ctx context.Context, addr string, q PullRequest) (PullResult, error) {
	flags := pullSubscription
	if q.Wait > 0 {
		flags |= pullSuspend
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.CallTimeout+q.Wait+pullGrace)
	defer cancel()
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	got, err := c.ask(ctx, addr, &remoting.Command{Code: remoting.CodePull, Binary: true, Fields: map[string]string{
		"consumerGroup": q.Group, "topic": q.Topic, "queueId": strconv.Itoa(q.Queue), "queueOffset": number(q.Offset),
		"maxMsgNums": strconv.Itoa(max(q.Max, 1)), "sysFlag": strconv.Itoa(flags), "commitOffset": "0",
		"suspendTimeoutMillis": number(q.Wait.Milliseconds()), "subscription": cmp.Or(q.Filter.Expression, "*"),
		"subVersion": "0", "expressionType": cmp.Or(q.Filter.Kind, byTags),
	}}, fmt.Sprintf("%s queue %d offset %d", q.Topic, q.Queue, q.Offset),
		remoting.PullNotFound, remoting.PullRetryImmediately, remoting.PullOffsetMoved)
	if err != nil {
		return PullResult{}, err
	}
	out := PullResult{Status: pullStatuses[got.Code]}
	for name, into := range map[string]*int64{"nextBeginOffset": &out.Next, "minOffset": &out.Min, "maxOffset": &out.Max} {
		if *into, err = strconv.ParseInt(got.Fields[name], 10, 64); err != nil {
			return PullResult{}, fmt.Errorf("%s: PULL_MESSAGE %s queue %d: the answer's %s %q is not a number",
				addr, q.Topic, q.Queue, name, got.Fields[name])
		}
	}
	if out.Status == PullFound {
		out.frame = got.Frame
		if out.Messages, err = remoting.AppendMessages(got.Frame.Messages[:0], got.Body); err != nil {
			return PullResult{}, fmt.Errorf("%s: PULL_MESSAGE %s queue %d offset %d: %w", addr, q.Topic,
				q.Queue, q.Offset, err)
		}
		c.options.Renames.retriesHere(q.Topic, out.Messages)
	}
	return out, nil
}

var pullStatuses = map[int]PullStatus{
	remoting.Success: PullFound, remoting.PullNotFound: PullNoNew, remoting.PullRetryImmediately: PullRetryNow,
	remoting.PullOffsetMoved: PullMovedOffset,
}
