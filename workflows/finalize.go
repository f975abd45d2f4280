package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
)

// Finalize shows the ledger of the source until it is zero, or until a person accepts by approval
// what is left. Its end is the point of no return: from there on nothing returns by itself.
func Finalize(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	d, err := newStageRun(ctx, api.FinalizeType, in)
	if err != nil {
		return api.Status{}, err
	}
	f := &finalize{stageRun: d}
	return d.run(ctx, f.settleAndEnd)
}

// finalize settles the ledger of the source.
type finalize struct {
	*stageRun
}

func (f *finalize) settleAndEnd(ctx workflow.Context) error {
	if err := f.settleLedger(ctx); err != nil {
		return err
	}
	if err := f.checkpoint(ctx); err != nil {
		return err
	}
	now := workflow.Now(ctx)
	f.status.PointOfNoReturn = &now
	f.status.Stage = "PointOfNoReturn" // recorded by the search attribute's event
	f.detail(ctx, "the ledger is settled: rest %d", f.status.Ledger.Rest)
	return nil
}

// settleLedger measures again and again, ever more rarely. Each new ledger is new evidence: an
// approval names what it saw.
func (f *finalize) settleLedger(ctx workflow.Context) error {
	defer f.unask(ctx, string(plan.GateFinalize))
	var asked restAsked
	for pause := ledgerFirst; ; pause = min(pause*2, longestPause(f.stageRun)) {
		ledger, err := f.ledger(ctx)
		if err != nil {
			return err
		}
		if ledger.Rest == 0 && !f.asks(plan.GateFinalize) {
			return nil
		}
		if ledger.Rest == 0 {
			pause = max(pause, evidenceLife) // nothing left to wait for but the person
		}
		q := asked.take(ctx, ledger, ledgerText, pause)
		q.gate = string(plan.GateFinalize)
		if given, err := f.ask(ctx, q); given || err != nil {
			return err
		}
	}
}

func (f *finalize) ledger(ctx workflow.Context) (api.Ledger, error) {
	var ledger api.Ledger
	err := f.step(ctx, func(ctx workflow.Context) error {
		var acts *activities.Ledgers
		return workflow.ExecuteActivity(call.Quick(ctx, "ledger of the source"), acts.Ledger, f.request()).Get(ctx, &ledger)
	})
	f.status.Ledger = &ledger
	return ledger, err
}

func ledgerText(ledger api.Ledger) string {
	if ledger.Rest == 0 {
		return "retire the source: nothing is left on it"
	}
	return fmt.Sprintf("retire the source although %d are left: %s; approving accepts this rest, "+
		"and no more", ledger.Rest, rests(ledger))
}
