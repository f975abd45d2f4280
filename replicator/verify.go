package replicator

import (
	"context"
	"time"

	"rocketshift/internal/rocketmq"
)

// VerifyOptions are the settings of a comparison.
type VerifyOptions struct {
	Names                        // of the lanes, whose progress says how far the comparison goes
	From        int64            // the source offset to begin at, if the source still holds it
	Resume      *Checkpoint      // if given, where to go on; a lane whose queues aren't as they were then is compared from From on
	Answers     []Answer         // given to faults: what they skip isn't missing
	Differences func(Difference) // if given, called with each one: as it is met, and at the end what is missing. Who resumes may see some again
}

// LaneReport is the result of comparing a lane's two replicas.
type LaneReport struct {
	Topic      string   `json:"topic"`
	Source     Queue    `json:"source"`
	Target     Queue    `json:"target"`
	From       int64    `json:"from"` // source offsets from From up to, not including, To are compared
	To         int64    `json:"to"`
	Compared   int64    `json:"compared"`           // copies that were compared with their originals
	Natives    int64    `json:"natives"`            // messages on the target that no lane copied there; no difference
	Back       int64    `json:"back"`               // messages on the source that the reverse lane copied there; no difference
	Missing    int64    `json:"missing"`            // originals without a copy
	Skipped    int64    `json:"skipped,omitempty"`  // originals that a person gave up; no difference
	Extra      int64    `json:"extra"`              // repeated copies, and copies of nothing
	Altered    int64    `json:"altered"`            // copies with other content
	OutOfOrder int64    `json:"outOfOrder"`         // copies behind the copy of a later message
	Examples   []string `json:"examples,omitempty"` // the first 5 differences
}

// VerifyLane compares the lane's two replicas by content: everything that the source holds when it begins, or what is asked for
// of it, up to the lane's progress at that time. It reads both queues once, side by side, and holds no more than a few MiB of each.
// Progress, if given, is called now and then.
func VerifyLane(ctx context.Context, source, target *rocketmq.Cluster, lane Lane, o VerifyOptions, progress func(Checkpoint)) (LaneReport, error) {
	return verifyReplicas(ctx, newBrokers("source", source), newBrokers("target", target), lane, o, progress)
}

// verification is one comparison at work.
type verification struct {
	LaneReport
	stamps  stamper
	reverse stamper // of the reverse lane
	back    int64   // newest stamped offset of the reverse lane's copies on the source, -1 before the first
	source  *cursor
	target  *cursor
	newest  int64 // highest stamped offset seen on the target
	begin   int64 // of the source queue, as last seen
	end     int64
	expired bool   // the target no longer holds the beginning of its queue
	missing []Span // source offsets whose copies were jumped over

	answers     []Answer
	differences func(Difference)
	inert       bool // copies were sent alone
	either      bool // each copy may have been sent alone, or in a batch
}

// comparison is what is to be compared.
type comparison struct {
	source, target replica
	lane           Lane
	options        VerifyOptions
}

// verifyReplicas is VerifyLane of any two replicas.
func verifyReplicas(ctx context.Context, source, target replica, lane Lane, o VerifyOptions, progress func(Checkpoint)) (LaneReport, error) {
	c := comparison{source, target, lane, o}
	v, err := c.begin(ctx)
	if err != nil {
		return LaneReport{}, err
	}
	takes, err := target.takes(ctx, lane.Target.Broker)
	if err != nil {
		return LaneReport{}, err
	}
	v.inert, v.either = takes.none || alone(lane.Topic), takes.alone
	if err := v.inEpoch(ctx, v.source.queue, v.target.queue, lane); err != nil {
		return LaneReport{}, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer func() {
		stop()
		v.source.close()
		v.target.close()
	}()
	for n := 0; ; n++ {
		m, more, err := v.target.peek(ctx)
		if err == nil && more {
			v.target.take()
			err = v.judge(ctx, m)
		}
		if err != nil {
			return v.LaneReport, err
		}
		if progress != nil && n%pageMessages == 0 {
			progress(v.checkpoint())
		}
		if !more {
			break
		}
	}
	if alone(lane.Topic) && v.newest < 0 {
		v.From = v.To // there was nothing left to try again
		return v.LaneReport, nil
	}
	if err := v.jump(ctx, v.To); err != nil {
		return v.LaneReport, err
	}
	v.reportMissing()
	return v.LaneReport, nil
}

func (c comparison) queues() (source, target queue) {
	source = queue{side: c.source, group: c.options.Group, topic: c.lane.Topic, Queue: c.lane.Source}
	target = queue{side: c.target, group: c.options.Group, topic: c.lane.Topic, Queue: c.lane.Target}
	return source, target
}

func (c comparison) begin(ctx context.Context) (*verification, error) {
	if v, ok, err := c.resumed(ctx); ok || err != nil {
		return v, err
	}
	lane, o := c.lane, c.options
	source, target := c.queues()
	first, end, err := source.bounds(ctx)
	if err != nil {
		return nil, err
	}
	copied, known, err := source.position(ctx) // before the target's end, which then shows all of it
	if err != nil {
		return nil, err
	}
	if !known {
		copied = first
	}
	from, to, err := shown(ctx, target)
	if err != nil {
		return nil, err
	}
	upTo, expired := max(first, min(copied, end)), from > 0
	if o.From > first {
		first = min(o.From, upTo)
		t, err := newPositions(c.source, c.target, o.Names).Forward(ctx, lane, first)
		if err != nil {
			return nil, err
		}
		from, expired = t.Target, expired && t.Target == from
	}
	v := c.verification(LaneReport{Topic: lane.Topic, Source: lane.Source, Target: lane.Target, From: first, To: upTo})
	v.expired, v.begin, v.end = expired || alone(lane.Topic), first, end // retries that were worked off aren't copied
	v.source, v.target = newCursor(source, first, upTo), newCursor(target, from, to)
	return v, nil
}

func (c comparison) verification(report LaneReport) *verification {
	return &verification{
		LaneReport: report, newest: -1, stamps: newStamper(c.options.Names, c.lane),
		differences: c.options.Differences, answers: c.options.Answers,
		reverse: newStamper(c.options.Names.Back(), c.lane.Back()), back: -1,
	}
}

// shown returns the target's bounds when it shows everything up to the lane's hint: brokers show a message a moment after they
// have stored it. One that doesn't catch up is compared as it is.
func shown(ctx context.Context, target queue) (first, end int64, err error) {
	deadline := time.Now().Add(showTime)
	for {
		if first, end, err = target.bounds(ctx); err != nil || visible(ctx, target, end) || time.Now().After(deadline) {
			return first, end, err
		}
		if err := sleep(ctx, showTime/100); err != nil {
			return 0, 0, err
		}
	}
}

// inEpoch makes a comparison count the copies of the lane's present epoch: those of before are of a topic that is no more.
func (v *verification) inEpoch(ctx context.Context, source, target queue, lane Lane) error {
	for _, a := range v.answers {
		if a.Action == Restart && a.of(lane.Back(), true) {
			epoch, err := epochOf(ctx, source, &v.reverse)
			if err != nil {
				return err
			}
			v.reverse.restarted(epoch)
		}
		if a.Action == Restart && a.of(lane, false) {
			epoch, err := epochOf(ctx, target, &v.stamps)
			if err != nil {
				return err
			}
			v.stamps.restarted(epoch)
		}
	}
	return nil
}
