package workflows

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
)

// Verify compares every lane by content over the range that is copied.
func Verify(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	d, err := newStageRun(ctx, api.VerifyType, in)
	if err != nil {
		return api.Status{}, err
	}
	v := &verifier{stageRun: d, in: in}
	return d.run(ctx, func(ctx workflow.Context) error { return d.step(ctx, v.compareAll) })
}

// verifier compares the two replicas of all lanes, and adds up what it finds.
type verifier struct {
	*stageRun
	in  api.MigrationInput
	sum api.Verification
}

func (v *verifier) compareAll(ctx workflow.Context) error {
	inventory, err := v.inventory(ctx, v.in)
	if err != nil {
		return err
	}
	v.status.Verification = &v.sum
	for i, topics := range inventory.Topics().Chunks(chunk) {
		if err := v.compare(ctx, topics, i == 0); err != nil {
			return err
		}
	}
	if v.sum.Clean() {
		return nil
	}
	return v.differs()
}

// compare compares some topics. Own says that the groups' own topics are compared with them.
func (v *verifier) compare(ctx workflow.Context, topics api.Names, own bool) error {
	var acts *activities.Verifier
	var found api.Verification
	request := activities.VerifyRequest{
		Request: v.request(), Topics: topics, Own: own, Answers: v.in.Answers,
		Earlier: v.in.EarlierAnswers,
	}
	summary := fmt.Sprintf("compare %d topics", topics.Len())
	if err := workflow.ExecuteActivity(call.Comparing(ctx, v.plan, summary), acts.Verify,
		request).Get(ctx, &found); err != nil {
		return err
	}
	v.sum = v.sum.Plus(found)
	v.detail(ctx, "compared %d messages of %d lanes: %d missing, %d extra, %d altered, %d out of order%s",
		v.sum.Compared, v.sum.Lanes, v.sum.Missing, v.sum.Extra, v.sum.Altered, v.sum.OutOfOrder,
		givenUp(v.sum.Skipped))
	return nil
}

// differs is the error of a copy that isn't like its source.
func (v *verifier) differs() error {
	text := fmt.Sprintf(
		"the copy differs: %d missing, %d extra, %d altered, %d out of order; first: %v; nothing was moved: "+
			"find the cause, then resume to compare again, or go back",
		v.sum.Missing, v.sum.Extra, v.sum.Altered, v.sum.OutOfOrder, v.sum.Examples,
	)
	if v.sum.Differences != "" {
		text += "; all of them are in " + v.sum.Differences + " on the worker"
	}
	return temporal.NewNonRetryableApplicationError(text, call.DiffersType, nil)
}

// givenUp says how many messages persons gave up, if any.
func givenUp(messages int64) string {
	if messages == 0 {
		return ""
	}
	return fmt.Sprintf(", %d skipped by persons", messages)
}
