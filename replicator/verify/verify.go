package verify

import (
	"context"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/sleep"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replica"
)

// Options are the settings of a comparison.
type Options struct {
	replica.Names       // of the lanes; their progress says how far the comparison goes
	From          int64 // the source offset to begin at, if the source still holds it
	// if given, where to go on; a lane whose queues don't fit it any more is compared from From on
	Resume  *Checkpoint
	Answers []lane.Answer // to faults: what they skip isn't missing
	// if given, it is called with each difference: at once, and at the end for what is missing.
	// After a resume some may come again
	Differences func(Difference)
}

// Report is the result of comparing a lane's two replicas.
type Report struct {
	Topic    string     `json:"topic"`
	Source   lane.Queue `json:"source"`
	Target   lane.Queue `json:"target"`
	From     int64      `json:"from"` // source offsets from From up to, not including, To are compared
	To       int64      `json:"to"`
	Compared int64      `json:"compared"` // copies that were compared with their originals
	Natives  int64      `json:"natives"`  // messages on the target that no lane copied there; no difference
	// messages on the source that the reverse lane copied there; no difference
	Back       int64    `json:"back"`
	Missing    int64    `json:"missing"`            // originals without a copy
	Skipped    int64    `json:"skipped,omitempty"`  // originals that a person gave up; no difference
	Extra      int64    `json:"extra"`              // repeated copies, and copies of nothing
	Altered    int64    `json:"altered"`            // copies with other content
	OutOfOrder int64    `json:"outOfOrder"`         // copies after the copy of a later message
	Examples   []string `json:"examples,omitempty"` // the first 5 differences
}

// Lane compares the lane's two replicas by content: everything that the source holds when it
// begins, or the part that is asked for, up to the lane's progress at that time. It reads both
// queues once, side by side, and holds no more than a few MiB of each. It calls progress, if given,
// now and then.
func Lane(
	ctx context.Context,
	source, target *rocketmq.Cluster,
	one lane.Lane,
	o Options,
	progress func(Checkpoint),
) (Report, error) {
	from, to := replica.NewBrokers(lane.SideSource, source), replica.NewBrokers(lane.SideTarget, target)
	return Replicas(ctx, from, to, one, o, progress)
}

// verification is one comparison at work.
type verification struct {
	Report
	stamps  replica.Stamper
	reverse replica.Stamper // of the reverse lane
	back    int64           // newest stamped offset of the reverse lane's copies on the source, -1 before the first
	source  *cursor
	target  *cursor
	newest  int64 // highest stamped offset seen on the target
	begin   int64 // of the source queue, as last seen
	end     int64
	expired bool        // the target no longer holds the beginning of its queue
	missing []lane.Span // source offsets whose copies weren't met

	answers     []lane.Answer
	differences func(Difference)
	inert       bool // copies were sent alone
	either      bool // each copy may have been sent alone, or in a batch
}

// comparison is what must be compared.
type comparison struct {
	source, target replica.Side
	lane           lane.Lane
	options        Options
}

// Replicas is Lane for any two sides.
func Replicas(
	ctx context.Context,
	source, target replica.Side,
	lane lane.Lane,
	o Options,
	progress func(Checkpoint),
) (Report, error) {
	c := comparison{source, target, lane, o}
	v, err := c.begin(ctx)
	if err != nil {
		return Report{}, err
	}
	takes, err := target.Takes(ctx, lane.Target.Broker)
	if err != nil {
		return Report{}, err
	}
	v.inert, v.either = takes.None || replica.Alone(lane.Topic), takes.Alone
	if err := v.inEpoch(ctx, v.source.Reader, v.target.Reader, lane); err != nil {
		return Report{}, err
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
			return v.Report, err
		}
		if progress != nil && n%replica.PageMessages == 0 {
			progress(v.checkpoint())
		}
		if !more {
			break
		}
	}
	if replica.Alone(lane.Topic) && v.newest < 0 {
		v.From = v.To // the group has tried all retries again
		return v.Report, nil
	}
	if err := v.jump(ctx, v.To); err != nil {
		return v.Report, err
	}
	v.reportMissing()
	return v.Report, nil
}

func (c comparison) queues() (source, target replica.Reader) {
	source = replica.Reader{Side: c.source, Group: c.options.Group, Topic: c.lane.Topic, Queue: c.lane.Source}
	target = replica.Reader{Side: c.target, Group: c.options.Group, Topic: c.lane.Topic, Queue: c.lane.Target}
	return source, target
}

func (c comparison) begin(ctx context.Context) (*verification, error) {
	if v, ok, err := c.resumed(ctx); ok || err != nil {
		return v, err
	}
	lane, o := c.lane, c.options
	source, target := c.queues()
	first, end, err := source.Bounds(ctx)
	if err != nil {
		return nil, err
	}
	copied, known, err := source.Position(ctx) // read before the target's end, which then shows all of it
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
		t, err := positions.Of(c.source, c.target, o.Names).Forward(ctx, lane, first)
		if err != nil {
			return nil, err
		}
		from, expired = t.Target, expired && t.Target == from
	}
	v := c.verification(Report{Topic: lane.Topic, Source: lane.Source, Target: lane.Target, From: first, To: upTo})
	v.expired, v.begin, v.end = expired ||
		replica.Alone(lane.Topic), first, end // retries that the group has tried again aren't copied
	v.source, v.target = newCursor(source, first, upTo), newCursor(target, from, to)
	return v, nil
}

func (c comparison) verification(report Report) *verification {
	return &verification{
		Report: report, newest: -1, stamps: replica.NewStamper(c.options.Names, c.lane),
		differences: c.options.Differences, answers: c.options.Answers,
		reverse: replica.NewStamper(c.options.Names.Back(), c.lane.Back()), back: -1,
	}
}

// shown returns the target's bounds when it shows everything up to the lane's hint: brokers show a
// message a moment after they stored it. A target that doesn't show it in time is compared as it
// is.
func shown(ctx context.Context, target replica.Reader) (first, end int64, err error) {
	deadline := time.Now().Add(replica.ShowTime)
	for {
		if first, end, err = target.Bounds(ctx); err != nil || positions.Visible(ctx, target, end) ||
			time.Now().After(deadline) {
			return first, end, err
		}
		if err := sleep.For(ctx, replica.ShowTime/100); err != nil {
			return 0, 0, err
		}
	}
}

// inEpoch makes the comparison count the copies of the lane's present epoch: earlier copies are of
// a deleted topic.
func (v *verification) inEpoch(ctx context.Context, source, target replica.Reader, l lane.Lane) error {
	for _, a := range v.answers {
		if a.Action == lane.Restart && a.Of(l.Back(), true) {
			epoch, err := replica.EpochOf(ctx, source, &v.reverse)
			if err != nil {
				return err
			}
			v.reverse.Restarted(epoch)
		}
		if a.Action == lane.Restart && a.Of(l, false) {
			epoch, err := replica.EpochOf(ctx, target, &v.stamps)
			if err != nil {
				return err
			}
			v.stamps.Restarted(epoch)
		}
	}
	return nil
}
