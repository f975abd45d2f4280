package workflows

import (
	"errors"

	"go.temporal.io/sdk/workflow"

	"rocketshift/workflows/change"
)

// What a release decides by its rules, and how it writes down what was measured, is put on record
// where a run's way depends on it: a later release that is stricter, or measures more, reads the
// history as it was meant.

// judged is what check says of a message that came as a signal. Updates need no record: their
// validators aren't asked again.
func judged(ctx workflow.Context, check func() error) error {
	if !change.Made(ctx, change.Verdicts) {
		return check()
	}
	var refusal string
	err := workflow.SideEffect(ctx, func(workflow.Context) any {
		if err := check(); err != nil {
			return err.Error()
		}
		return ""
	}).Get(&refusal)
	if err == nil && refusal != "" {
		err = errors.New(refusal)
	}
	return err
}

// shownDigest is the digest of what is shown, as it was when it was shown.
func shownDigest(ctx workflow.Context, evidence any) (sum string) {
	if !change.Made(ctx, change.Verdicts) {
		return digest(evidence)
	}
	if err := workflow.SideEffect(ctx, func(workflow.Context) any {
		return digest(evidence)
	}).Get(&sum); err != nil {
		return digest(evidence)
	}
	return sum
}
