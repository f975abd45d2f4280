package moving

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/lists"
	"rocketshift/workflows/stage"
)

// Mover is what the workflows share that move applications, or bring them back.
type Mover struct {
	*stage.Run
	// Arrivals is until when what was on its way when a way back began may reach the target; zero
	// where nobody is called back.
	Arrivals time.Time
}

// New is what a workflow needs to move applications.
func New(d *stage.Run) *Mover { return &Mover{Run: d} }

// AwaitGroups asks the release pipeline to re-point the groups' applications away from one side,
// and waits until they have left; where away isn't 0, no longer than that for a target that doesn't
// answer.
func (m *Mover) AwaitGroups(
	ctx workflow.Context, from api.Side, groups, nameServers []string, away time.Duration,
) error {
	m.ForgetReleased()
	w := m.groupsAsked(from.Other(), groups, nameServers)
	return m.AskRelease(ctx, w, []api.Names{w.Groups}, m.membersLeave(from, groups, away))
}

// groupsAsked is the question for the applications of groups.
func (m *Mover) groupsAsked(to api.Side, groups, nameServers []string) api.Waiting {
	return api.Waiting{
		Kind: api.WaitingRelease, Gate: "groups", Groups: api.Some(groups...), To: to,
		NameServers: nameServers,
		Text: fmt.Sprintf("re-point the applications of %d groups to the %s (name servers %s): %s%s", len(groups), to,
			lists.OrNone(nameServers), lists.Short(groups), m.renamed(to)),
		Rename: m.rename(to),
	}
}

// membersLeave looks whether groups have no member on a side any more.
func (m *Mover) membersLeave(from api.Side, groups []string, away time.Duration) poller {
	var acts *activities.Traffic
	return func(ctx workflow.Context, part api.Names, released bool, _ []string) workflow.Future {
		request := activities.AwaitMoveRequest{
			Request: m.Request(), From: from, Groups: part,
			Released: released, Away: away,
		}
		return call.WaitFor(
			ctx,
			away,
			"members leave the "+string(from)+": "+lists.Short(groups),
			acts.AwaitMembers,
			request,
		)
	}
}

// AwaitProducers asks for the producers of the topics, and waits until nothing is written on the
// side that they leave.
func (m *Mover) AwaitProducers(
	ctx workflow.Context, from api.Side, topics api.Names, nameServers []string,
	away time.Duration,
) error {
	return m.AskRelease(ctx, m.ProducersAsked(from.Other(), topics, nameServers), m.Parts(topics),
		m.PutsEnd(from, away))
}

// PutsEnd looks whether nothing is written to topics on a side any more.
func (m *Mover) PutsEnd(from api.Side, away time.Duration) poller {
	var acts *activities.Traffic
	return func(
		ctx workflow.Context, part api.Names, released bool, said []string,
	) workflow.Future {
		request := activities.AwaitMoveRequest{
			Request: m.Request(), From: from, Topics: part,
			Released: released, Said: said, Away: away,
		}
		summary := "nothing is written on the " + string(from) + ": " + api.Short(part)
		return call.WaitFor(ctx, away, summary, acts.AwaitQuiet, request)
	}
}

// ProducersAsked is the question for the producers of topics.
func (m *Mover) ProducersAsked(
	to api.Side, topics api.Names, nameServers []string,
) api.Waiting {
	first := api.Short(topics)
	return api.Waiting{
		Kind: api.WaitingRelease, Gate: "producers of " + first, Topics: topics, To: to,
		NameServers: nameServers,
		Text: fmt.Sprintf("re-point the producers of %d topics to the %s (name servers %s): %s%s",
			topics.Len(), to, lists.OrNone(nameServers), first, m.renamed(to)),
		Rename: m.rename(to),
	}
}

// rename is how names change for applications that go to a side.
func (m *Mover) rename(to api.Side) *plan.Rename {
	if to != api.Target {
		return nil
	}
	return m.Plan.Target.Rename
}

// renamed says so in words.
func (m *Mover) renamed(to api.Side) string {
	r := m.rename(to)
	if r == nil {
		return ""
	}
	return fmt.Sprintf("; names there: prefix %q, %d topics and %d groups by target.rename of the plan",
		r.Prefix, len(r.Topics), len(r.Groups))
}

// poller looks whether a part of what is asked for has moved. Released says that the pipeline
// reported all that is asked for; said are names of the part that it reported.
type poller func(
	ctx workflow.Context, part api.Names, released bool, said []string,
) workflow.Future

// AskRelease waits for the measured proof that applications have moved, part by part. The
// pipeline's word (`released`) asks the activities to look again under their easier rule: they need
// not guess any more from silence whether a move is over.
func (m *Mover) AskRelease(
	ctx workflow.Context, w api.Waiting, parts []api.Names, poll poller,
) error {
	done := m.Wait(ctx, w)
	defer done()
	var moves []func(workflow.Context) error
	for _, part := range parts {
		moves = append(moves, func(ctx workflow.Context) error { return m.PollPart(ctx, w, part, poll) })
	}
	err := call.AllOf(ctx, moves)
	if err == nil {
		stage.AddTo(&m.Status.Moved, w.Groups, w.Topics, m.Bounded)
	}
	return err
}

// PollPart looks at one part until it has moved, and anew when the pipeline says more of it.
func (m *Mover) PollPart(
	ctx workflow.Context, w api.Waiting, part api.Names, poll poller,
) error {
	all := func() bool { return m.IsReleased(w.Gate, w.Groups, w.Topics) }
	some := func() []string { return m.SaidOf(part) }
	for {
		released, said := all(), some()
		polling, cancel := workflow.WithCancel(ctx)
		proof := poll(polling, part, released, said)
		err := workflow.Await(ctx, func() bool {
			return proof.IsReady() || !released && (all() || len(some()) > len(said))
		})
		if err == nil && proof.IsReady() {
			err = proof.Get(ctx, nil)
			cancel()
			return err
		}
		cancel()
		if err != nil {
			if change.Made(ctx, change.Ordered) {
				_ = proof.Get(ctx, nil) // an undo comes after what opens topics; looks end at once
			}
			return err
		}
	}
}

// AwaitDrained waits until the lanes of the topics have copied all that the source holds.
func (m *Mover) AwaitDrained(ctx workflow.Context, topics api.Names) error {
	var acts *activities.Replication
	var moves []func(workflow.Context) error
	for _, part := range m.Parts(topics) {
		moves = append(moves, func(ctx workflow.Context) error {
			request := activities.TopicsRequest{
				Request: m.Request(), Side: api.Source, Topics: part,
			}
			return call.WaitFor(ctx, 0, "last messages are copied: "+api.Short(part),
				acts.AwaitDrained, request).Get(ctx, nil)
		})
	}
	return call.AllOf(ctx, moves)
}
