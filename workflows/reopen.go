package workflows

import (
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/change"
	"rocketshift/workflows/lists"
	"rocketshift/workflows/moving"
)

// reopen waits beside other work for the brokers that weren't there when a stage lifted its fences.
func (m *migration) reopen(ctx workflow.Context) {
	owed := m.View().Owed
	if len(owed) == 0 || !change.Made(ctx, change.Owed) {
		return
	}
	m.Status.Owed = owed
	m.Children.Edit(func(r *api.Status) { r.Owed = nil })
	if m.reopening {
		return
	}
	m.reopening = true
	workflow.GoNamed(ctx, "brokers of the source come back", func(ctx workflow.Context) {
		for err := error(nil); len(m.Status.Owed) > 0 && err == nil; {
			err = m.reopenOn(ctx, m.Status.Owed)
		}
		m.reopening = false
	})
}

func (m *migration) reopenOn(ctx workflow.Context, brokers []string) error {
	defer m.Wait(ctx, api.Waiting{Kind: api.WaitingGate, Gate: api.SourceGate, Text: moving.OwedText(brokers)})()
	var unmarked []string
	err := m.UntilReopened(ctx, activities.BrokersRequest{
		Request: m.Request(), Brokers: brokers, Calm: m.Plan.Shift.FenceLimit(),
	}).Get(ctx, &unmarked)
	if err == nil {
		m.Status.Owed = lists.Without(m.Status.Owed, brokers)
		m.NoteBack(ctx, brokers, unmarked)
	}
	return err
}
