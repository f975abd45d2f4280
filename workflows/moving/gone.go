package moving

import (
	"fmt"
	"slices"
	"strings"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/lists"
	"rocketshift/workflows/stage"
)

// Name servers drop a broker of the source that dies. If that happens while groups are fenced on
// it, who lifts the fences doesn't see it, and it comes back with the groups closed: nobody reads
// its queues then. So who lifts fences looks whether a broker is missing that Assess found; such
// brokers are owed to the groups until they are back. The migration waits for them while it goes
// on, and Rollback before it ends.

// lookForMissing notes which brokers weren't there when fences were lifted.
func (m *Mover) lookForMissing(ctx workflow.Context) {
	missing, err := m.missingBrokers(ctx)
	if err != nil {
		m.Note(ctx, "whether all brokers of the source are there isn't known: %s", call.RootMessage(err))
	}
	if len(missing) > 0 {
		m.Note(ctx, "%s", OwedText(missing))
		m.Status.Owed = slices.Concat(m.Status.Owed, lists.Without(missing, m.Status.Owed))
		m.Publish(ctx)
	}
}

func (m *Mover) missingBrokers(ctx workflow.Context) (missing []string, err error) {
	if len(m.Brokers) == 0 || !change.Made(ctx, change.Owed) {
		return nil, nil
	}
	var returns *activities.Returns
	err = workflow.ExecuteActivity(call.Within(ctx, m.Plan.Shift.FenceLimit(), "whether all brokers of the source "+
		"are there"),
		returns.Missing, activities.BrokersRequest{Request: m.Request(), Brokers: m.Brokers}).
		Get(ctx, &missing)
	return missing, err
}

// OwedText says what is owed to groups on brokers that are missing.
func OwedText(brokers []string) string {
	return fmt.Sprintf("no name server of the source knows %s: groups that were fenced there are closed when it comes "+
		"back, and are opened by themselves then: start it", strings.Join(brokers, ", "))
}

// NoteBack says that brokers are back. Marks are on a broker's disk five seconds after the fence:
// who closed a group without one isn't known.
func (m *Mover) NoteBack(ctx workflow.Context, brokers, unmarked []string) {
	names := strings.Join(brokers, ", ")
	if len(unmarked) == 0 {
		m.Note(ctx, "%s is back, and no group is left closed there", names)
		return
	}
	m.Note(
		ctx,
		"%s is back; groups %s are closed there alone, without a mark of rocketshift, and stay so: open them by "+
			"hand (consumeEnable=true) unless somebody closed them on purpose",
		names,
		lists.Short(unmarked),
	)
}

// UntilReopened waits until brokers of the source are back, and groups are open there.
func (m *Mover) UntilReopened(ctx workflow.Context, r activities.BrokersRequest) workflow.Future {
	var returns *activities.Returns
	return call.WaitFor(ctx, 0, "brokers of the source come back: "+lists.Short(r.Brokers), returns.Reopen, r)
}

// AwaitMissing waits for the brokers of the source that aren't there. A person may end that where
// they never will be.
func (m *Mover) AwaitMissing(ctx workflow.Context) error {
	missing, err := m.missingBrokers(ctx)
	if err != nil || len(missing) == 0 {
		return err
	}
	m.Status.Owed = missing
	done := m.Wait(ctx, api.Waiting{Kind: api.WaitingGate, Gate: api.SourceGate, Text: OwedText(missing)})
	defer done()
	watching, cancel := workflow.WithCancel(ctx)
	defer cancel()
	owed := "groups that were fenced there stay closed there"
	watch := m.UntilReopened(watching, activities.BrokersRequest{Request: m.Request(), Brokers: missing})
	lost, err := m.untilOrLost(ctx, "brokers of the source come back", watch,
		stage.Question{
			Gate: api.LostBrokersGate, Evidence: missing,
			Text: fmt.Sprintf("end the way back without %s, only if it is gone for good: %s",
				strings.Join(missing, ", "), owed),
		})
	switch {
	case err != nil:
		return err
	case lost:
		m.Note(ctx, "%s is lost: %s", strings.Join(missing, ", "), owed)
	default:
		var unmarked []string
		_ = watch.Get(ctx, &unmarked) // it has ended well
		m.NoteBack(ctx, missing, unmarked)
		m.Status.Owed = nil
	}
	return nil
}
