package settle

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
	"rocketshift/workflows/stage"
)

// Finalize shows the ledger of the source until it is zero, or until a person accepts by approval
// what is left. Its end is the point of no return: from there on nothing returns by itself.
func Finalize(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	run, err := stage.New(ctx, api.FinalizeType, in)
	if err != nil {
		return api.Status{}, err
	}
	f := &finalize{Run: run}
	return run.Execute(ctx, f.settleAndEnd)
}

// finalize settles the ledger of the source.
type finalize struct {
	*stage.Run
}

func (f *finalize) settleAndEnd(ctx workflow.Context) error {
	if err := f.settleLedger(ctx); err != nil {
		return err
	}
	if err := f.Checkpoint(ctx); err != nil {
		return err
	}
	now := workflow.Now(ctx)
	f.Status.PointOfNoReturn = &now
	f.Status.Stage = "PointOfNoReturn" // recorded by the search attribute's event
	f.Detail(ctx, "the ledger is settled: rest %d", f.Status.Ledger.Rest)
	return nil
}

// settleLedger measures again and again, ever more rarely. Each new ledger is new evidence: an
// approval names what it saw.
func (f *finalize) settleLedger(ctx workflow.Context) error {
	defer f.Unask(ctx, string(plan.GateFinalize))
	var asked RestAsked
	for pause := LedgerFirst; ; pause = min(pause*2, LongestPause(f.Run)) {
		ledger, err := f.ledger(ctx)
		if err != nil {
			return err
		}
		if ledger.Rest == 0 && !f.Asks(plan.GateFinalize) {
			return nil
		}
		if ledger.Rest == 0 {
			pause = max(pause, stage.EvidenceLife) // nothing left to wait for but the person
		}
		q := asked.Take(ctx, ledger, ledgerText, pause)
		q.Gate = string(plan.GateFinalize)
		if given, err := f.Ask(ctx, q); given || err != nil {
			return err
		}
	}
}

func (f *finalize) ledger(ctx workflow.Context) (api.Ledger, error) {
	var ledger api.Ledger
	err := f.Step(ctx, func(ctx workflow.Context) error {
		var acts *activities.Ledgers
		return workflow.ExecuteActivity(call.Quick(ctx, "ledger of the source"), acts.Ledger, f.Request()).
			Get(ctx, &ledger)
	})
	f.Status.Ledger = &ledger
	return ledger, err
}

func ledgerText(ledger api.Ledger) string {
	if ledger.Rest == 0 {
		return "retire the source: nothing is left on it"
	}
	return fmt.Sprintf("retire the source although %d are left: %s; approving accepts this rest, "+
		"and no more", ledger.Rest, Rests(ledger))
}
