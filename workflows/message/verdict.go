package message

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"

	"go.temporal.io/sdk/workflow"

	"rocketshift/workflows/change"
)

// What a release decides by its rules, and how it writes down what was measured, is put on record
// where a run's way depends on it: a later release that is stricter, or measures more, reads the
// history as it was meant.

// Judged is what check says of a message that came as a signal. Updates need no record: their
// validators aren't asked again.
func Judged(ctx workflow.Context, check func() error) error {
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

// ShownDigest is the digest of what is shown, as it was when it was shown.
func ShownDigest(ctx workflow.Context, evidence any) (sum string) {
	if !change.Made(ctx, change.Verdicts) {
		return Digest(evidence)
	}
	if err := workflow.SideEffect(ctx, func(workflow.Context) any {
		return Digest(evidence)
	}).Get(&sum); err != nil {
		return Digest(evidence)
	}
	return sum
}

// Digest is 12 hex digits of the evidence: short enough to read out, long enough to tell two
// ledgers apart.
func Digest(evidence any) string {
	b, err := json.Marshal(evidence)
	if err != nil {
		return "unreadable"
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}
