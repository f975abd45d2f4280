package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/plan"
)

// together runs moves side by side and returns the first error, after all have ended.
func together(ctx workflow.Context, moves []func(workflow.Context) error) error {
	ctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	var first error
	wg := workflow.NewWaitGroup(ctx)
	wg.Add(len(moves))
	for _, move := range moves {
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wg.Done()
			if err := move(ctx); err != nil && first == nil {
				first = err
				cancel()
			}
		})
	}
	wg.Wait(ctx)
	return first
}

// awaitGroups asks the release pipeline to re-point the groups' applications away from one side,
// and waits until they have left; where away isn't 0, no longer than that for a target that doesn't
// answer.
func (d *desk) awaitGroups(
	ctx workflow.Context, from activities.Side, groups, nameServers []string, away time.Duration,
) error {
	d.forgetReleased()
	to := other(from)
	w := Waiting{
		Kind: WaitingRelease, Gate: "groups", Groups: groups, To: to, NameServers: nameServers,
		Text:   fmt.Sprintf("re-point the applications of %d groups to the %s (name servers %s): %s%s", len(groups), to, orNone(nameServers), short(groups), d.renamed(to)),
		Rename: d.rename(to),
	}
	var acts *activities.Traffic
	return d.askRelease(ctx, w, func(ctx workflow.Context, released bool) workflow.Future {
		request := activities.AwaitMoveRequest{
			Request: d.request(), From: from, Groups: groups,
			Released: released, Away: away,
		}
		return waitFor(ctx, away, "members leave the "+string(from)+": "+short(groups), acts.AwaitMembers, request)
	})
}

// awaitProducers asks for the producers of the topics, and waits until nothing is written on the side that they leave.
func (d *desk) awaitProducers(
	ctx workflow.Context, from activities.Side, topics, nameServers []string, away time.Duration,
) error {
	to := other(from)
	w := Waiting{
		Kind: WaitingRelease, Gate: "producers of " + short(topics), Topics: topics, To: to, NameServers: nameServers,
		Text:   fmt.Sprintf("re-point the producers of %d topics to the %s (name servers %s): %s%s", len(topics), to, orNone(nameServers), short(topics), d.renamed(to)),
		Rename: d.rename(to),
	}
	var acts *activities.Traffic
	return d.askRelease(ctx, w, func(ctx workflow.Context, released bool) workflow.Future {
		request := activities.AwaitMoveRequest{
			Request: d.request(), From: from, Topics: topics,
			Released: released, Away: away, Refused: d.refuses(topics),
		}
		return waitFor(ctx, away, "nothing is written on the "+string(from)+": "+short(topics), acts.AwaitQuiet, request)
	})
}

// rename is how names change for applications that go to a side.
func (d *desk) rename(to activities.Side) *plan.Rename {
	if to != activities.Target {
		return nil
	}
	return d.plan.Target.Rename
}

// renamed says so in words.
func (d *desk) renamed(to activities.Side) string {
	r := d.rename(to)
	if r == nil {
		return ""
	}
	return fmt.Sprintf("; names there: prefix %q, %d topics and %d groups by target.rename of the plan", r.Prefix, len(r.Topics), len(r.Groups))
}

// askRelease waits for the measured proof that applications have moved. The pipeline's word (`released`) asks the activity to
// look again under its easier rule: it need not guess any more from silence whether a move is over.
func (d *desk) askRelease(ctx workflow.Context, w Waiting, poll func(workflow.Context, bool) workflow.Future) error {
	done := d.wait(ctx, w)
	defer done()
	said := func() bool { return d.isReleased(w.Groups, w.Topics) }
	for {
		released := said()
		polling, cancel := workflow.WithCancel(ctx)
		proof := poll(polling, released)
		err := workflow.Await(ctx, func() bool { return proof.IsReady() || (!released && said()) })
		if err == nil && proof.IsReady() {
			err = proof.Get(ctx, nil)
			cancel()
			if err == nil {
				d.status.Moved.Groups = append(d.status.Moved.Groups, w.Groups...)
				d.status.Moved.Topics = append(d.status.Moved.Topics, w.Topics...)
			}
			return err
		}
		cancel()
		if err != nil {
			return err
		}
	}
}

// awaitDrained waits until the lanes of the topics have copied all that the source holds.
func (d *desk) awaitDrained(ctx workflow.Context, topics []string) error {
	var acts *activities.Replication
	request := activities.TopicsRequest{
		Request: d.request(), Side: activities.Source, Topics: topics, Refused: d.refuses(topics),
	}
	return waitFor(ctx, 0, "last messages are copied: "+short(topics), acts.AwaitDrained, request).Get(ctx, nil)
}

// refuses reports whether producers who come to the target are refused for now: some of the topics
// are closed there.
func (d *desk) refuses(topics []string) bool {
	return slices.ContainsFunc(topics, func(topic string) bool { return d.closed[topic] })
}
