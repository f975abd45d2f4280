package prepare

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/stage"
)

// Verify compares every lane by content over the range that is copied.
func Verify(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	run, err := stage.New(ctx, api.VerifyType, in)
	if err != nil {
		return api.Status{}, err
	}
	v := &verifier{Run: run, in: in}
	return run.Execute(ctx, func(ctx workflow.Context) error { return run.Step(ctx, v.compareAll) })
}

// verifier compares the two replicas of all lanes, and adds up what it finds.
type verifier struct {
	*stage.Run
	in  api.MigrationInput
	sum api.Verification
}

func (v *verifier) compareAll(ctx workflow.Context) error {
	inventory, err := v.Inventory(ctx, v.in)
	if err != nil {
		return err
	}
	v.Status.Verification = &v.sum
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
		Request: v.Request(), Topics: topics, Own: own, Answers: v.in.Answers,
		Earlier: v.in.EarlierAnswers,
	}
	summary := fmt.Sprintf("compare %d topics", topics.Len())
	if err := workflow.ExecuteActivity(call.Comparing(ctx, v.Plan, summary), acts.Verify,
		request).Get(ctx, &found); err != nil {
		return err
	}
	v.sum = v.sum.Plus(found)
	v.Detail(ctx, "compared %d messages of %d lanes: %d missing, %d extra, %d altered, %d out of order%s",
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
