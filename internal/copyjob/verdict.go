package copyjob

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/failure"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/verify"
)

// Verdicts of a copy.
const (
	verdictClean       = "clean"       // everything is copied, and equal
	VerdictDifferences = "differences" // some copies differ from their originals
	VerdictFaults      = "faults"      // lanes stopped
	VerdictStopped     = "stopped"     // it followed until it was told to stop
	VerdictInterrupted = "interrupted" // it was told to stop before everything was copied
)

// Verdict is how a copy ended.
type Verdict struct {
	Verdict     string          `json:"verdict"`
	Lanes       int             `json:"lanes"`
	Copied      int64           `json:"copied"` // messages copied by this run
	Lag         int64           `json:"lag"`    // messages on the source that weren't copied when it ended
	Compared    int64           `json:"compared"`
	Natives     int64           `json:"natives"` // messages on the target that no lane copied there; no difference
	Missing     int64           `json:"missing"`
	Extra       int64           `json:"extra"`
	Altered     int64           `json:"altered"`
	OutOfOrder  int64           `json:"outOfOrder"`
	Differences []verify.Report `json:"differences,omitempty"` // of the lanes that have some
	Faults      []shownFault    `json:"faults,omitempty"`
	Back        *Back           `json:"back,omitempty"`
	// FromSlaves are the source's brokers without a master, of which a slave was read: what their
	// masters had besides isn't known.
	FromSlaves []string `json:"fromSlaves,omitempty"`
	// NotSeen is what wasn't looked at: the verdict says nothing of it.
	NotSeen  []string `json:"notSeen,omitempty"`
	Seconds  float64  `json:"seconds"`
	Next     string   `json:"next,omitempty"`
	ExitCode int      `json:"exitCode"`
}

const runAgain = "run the same command again: it goes on where this one stopped"

// Judge compares, if everything is copied, and says how the copy ended.
func (c *Job) Judge(ctx context.Context, r ran, show func(State)) (Verdict, error) {
	p := r.progress
	v := Verdict{
		Lanes:      len(c.lanes),
		Copied:     p.Copied,
		Lag:        p.Lag,
		Faults:     FaultsIn(p),
		FromSlaves: c.fromSlaves,
		NotSeen:    c.notSeen,
	}
	if p.Back != nil {
		v.Back = &Back{Copied: p.Back.Copied, Lag: p.Back.Lag}
	}
	v.Verdict, v.ExitCode = verdictClean, failure.Done
	switch {
	case r.reached:
		err := c.exporting(func() error {
			reports, back, err := c.compare(ctx, r, show)
			v.add(reports, back)
			return err
		})
		if err != nil {
			return v, err
		}
	case c.follow:
		v.Verdict, v.Next = VerdictStopped, runAgain+"; without --follow it compares all copies with their originals"
	default:
		v.Verdict, v.ExitCode, v.Next = VerdictInterrupted, failure.Failed, runAgain
	}
	if len(v.Differences) > 0 {
		v.Verdict, v.ExitCode, v.Next = VerdictDifferences, failure.Differs, "find out who else wrote or "+
			"deleted on the target; docs/copy-topics.md tells what each kind means"
	}
	if len(v.Faults) > 0 {
		v.Verdict, v.ExitCode, v.Next = VerdictFaults, failure.Differs, "do what the faults' texts say"
	}
	return v, nil
}

// compareAtOnce is how many lanes are compared at the same time: more only make brokers wait for
// their disks.
const compareAtOnce = 4

// compare compares all lanes, those back too, and shows how far it is.
func (c *Job) compare(ctx context.Context, r ran, show func(State)) (forward, back []verify.Report, err error) {
	forward, back = make([]verify.Report, len(c.lanes)), make([]verify.Report, len(c.lanes))
	compared := make([]atomic.Int64, len(c.lanes))
	var work errgroup.Group
	work.SetLimit(compareAtOnce)
	ended := make(chan error, 1)
	go func() {
		for i, lane := range c.lanes {
			work.Go(func() (err error) {
				if forward[i], err = c.compareLane(ctx, lane, r.progress, compared[i].Store); err == nil && c.bothWays {
					back[i], err = c.compareBack(ctx, lane, r.progress)
				}
				return err
			})
		}
		ended <- work.Wait()
	}()
	m, before := Meter{Now: c.Now, Total: r.held}, (&Meter{Now: c.Now}).State(r.progress)
	m.rate(0)
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		select {
		case err := <-ended:
			var sum int64
			for _, r := range forward {
				sum += r.Compared
			}
			show(m.comparing(before, sum))
			return forward, back, err
		case <-look.C:
			var sum int64
			for i := range compared {
				sum += compared[i].Load()
			}
			show(m.comparing(before, sum))
		}
	}
}

func (c *Job) compareLane(
	ctx context.Context,
	lane lane.Lane,
	p lane.Progress,
	progress func(int64),
) (report verify.Report, err error) {
	err = remoting.RetryRead(ctx, func() (err error) {
		report, err = verify.Lane(ctx, c.Source, c.Target, lane, verify.Options{Names: c.names, Differences: c.tell},
			func(at verify.Checkpoint) { progress(at.Report.Compared) })
		return err
	})
	return report, notCompared(goal{lane: lane}, p, err)
}

// compareBack compares what applications wrote on the target after the first copy: what it held
// before isn't copied back.
func (c *Job) compareBack(ctx context.Context, lane lane.Lane, p lane.Progress) (report verify.Report, err error) {
	err = remoting.RetryRead(ctx, func() error {
		begin, err := c.firstCopy(ctx, lane)
		if err == nil {
			options := verify.Options{Names: c.names.Back(), From: begin, Differences: c.tell}
			report, err = verify.Lane(ctx, c.Target, c.Source, lane.Back(), options, nil)
		}
		return err
	})
	return report, notCompared(goal{lane: lane.Back(), back: true}, p, err)
}

// notCompared says that a lane couldn't be compared. One that stopped may have lost its queue: its
// fault says so already.
func notCompared(g goal, p lane.Progress, err error) error {
	if err == nil || g.stopped(p) {
		return nil
	}
	return failure.Broken(runAgain, "everything is copied, but comparing %s failed: %w", g.lane, err)
}

func (v *Verdict) add(forward, back []verify.Report) {
	for _, r := range forward {
		v.Compared, v.Natives = v.Compared+r.Compared, v.Natives+r.Natives
	}
	for _, r := range back { // everything else on the source is native there
		if v.Back != nil {
			v.Back.Compared += r.Compared
		}
	}
	for _, r := range slices.Concat(forward, back) {
		v.Missing, v.Extra, v.Altered, v.OutOfOrder = v.Missing+r.Missing, v.Extra+r.Extra, v.Altered+r.Altered, v.OutOfOrder+r.OutOfOrder
		if r.Missing+r.Extra+r.Altered+r.OutOfOrder > 0 {
			v.Differences = append(v.Differences, r)
		}
	}
}
