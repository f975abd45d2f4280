package workflows

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/plan"
)

// question is what a person is asked to approve.
type question struct {
	gate     string
	text     string
	evidence any           // what is shown; an approval is bound to its digest
	life     time.Duration // how long the evidence may be answered; 0 means evidenceLife
	until    func() bool   // the question is over when this says so; nil: only by an answer
}

// digest is 12 hex digits of the evidence: short enough to read out, long enough to tell two ledgers apart.
func digest(evidence any) string {
	b, err := json.Marshal(evidence)
	if err != nil {
		return "unreadable"
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// approve waits for the approval of one gate. Evidence that got old is measured again, and an answer to the old one is refused.
func (d *desk) approve(ctx workflow.Context, measure func(workflow.Context) (question, error)) error {
	for {
		q, err := measure(ctx)
		if err != nil {
			return err
		}
		given, err := d.ask(ctx, q)
		if given || err != nil {
			return err
		}
	}
}

// ask shows the question until it is approved (true) or its evidence expires (false).
func (d *desk) ask(ctx workflow.Context, q question) (bool, error) {
	if err := d.checkpoint(ctx); err != nil {
		return false, err
	}
	life := q.life
	if life == 0 {
		life = evidenceLife
	}
	expires := workflow.Now(ctx).Add(life)
	done := d.wait(ctx, Waiting{
		Kind: WaitingApproval, Gate: q.gate, Text: q.text, PlanHash: d.status.PlanHash, Evidence: digest(q.evidence), Expires: &expires,
	})
	defer done()
	before := len(d.status.Approvals)
	given := func() bool { return len(d.status.Approvals) > before }
	ok, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: life, TimerOptions: workflow.TimerOptions{Summary: "approval of " + q.gate},
	}, func() bool { return given() || d.back != nil || q.until != nil && q.until() })
	switch {
	case err != nil:
		return false, err
	case d.back != nil:
		return false, errBack
	case !ok:
		return false, nil
	}
	return given(), nil
}

// asks reports whether the plan wants a person's approval of this gate.
func (d *desk) asks(gate plan.Gate) bool {
	for _, g := range d.plan.Approvals {
		if g == gate {
			return true
		}
	}
	return false
}
