package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
)

// withoutTarget opens on the source what is fenced there, and waits until the target answers again.
// Why says what it does instead.
func (d *desk) withoutTarget(ctx workflow.Context, in MigrationInput, why string) error {
	var survey activities.Survey
	if err := d.surveySource(ctx, in, "", &survey); err != nil {
		return err
	}
	open, err := d.openFenced(ctx, in, survey)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s. Owed to it: to close %d groups, and to bring back what was written there; it is done "+
		"by itself when the target is back", why, open.count)
	w := Waiting{Kind: WaitingGate, Gate: "target", Text: text}
	if open.count > 0 {
		w = Waiting{
			Kind: WaitingRelease, Gate: "target", Groups: activities.Some(open.first...),
			To: activities.Source, NameServers: d.plan.Source.NameServers,
			Text: "re-point all applications to the source now: " + text,
		}
		if in.Inventory != nil { // whose producers have moved only the target could tell
			w.Topics = in.Inventory.Topics()
		}
	}
	done := d.wait(ctx, w)
	defer done()
	return d.awaitTarget(ctx, fmt.Sprintf("%d groups aren't closed on it, and what was written there and hadn't "+
		"been copied back is lost", open.count))
}

// openedGroups are groups that read on the source while the target isn't as it was.
type openedGroups struct {
	first []string
	count int
}

// openFenced lifts the fences on the source, a batch after another.
func (d *desk) openFenced(
	ctx workflow.Context, in MigrationInput, survey activities.Survey,
) (open openedGroups, err error) {
	var traffic *activities.Traffic
	for {
		groups, _ := survey.FencedGroups.Inline()
		opened, _ := survey.OpenedGroups.Inline()
		if len(groups) > 0 {
			request := activities.GroupsRequest{
				Request: d.request(), Side: activities.Source,
				Groups: survey.FencedGroups, Ours: true,
			}
			names := short(groups)
			summary := "the target doesn't answer: lift the fence on the source: " + names
			if err := workflow.ExecuteActivity(quick(ctx, summary), traffic.Unfence, request).Get(ctx,
				nil); err != nil {
				return open, err
			}
			d.note(ctx, "the target doesn't answer: %d groups go on at the source where they were fenced, and read again what they have read "+
				"on the target: %s", len(groups), names)
		}
		if survey.MoreFenced == 0 {
			open.first = append(groups, opened...)
			open.first = open.first[:min(len(open.first), max(batch, len(groups)))]
			open.count = len(groups) + len(opened) + survey.MoreOpened
			return open, nil
		}
		survey = activities.Survey{}
		if err := d.surveySource(ctx, in, "", &survey); err != nil {
			return open, err
		}
	}
}
