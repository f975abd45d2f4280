package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
	"rocketshift/workflows/lists"
)

// Finalize shows the ledger of the source until it is zero, or until a person accepts by approval
// what is left. Its end is the point of no return: from there on nothing returns by itself.
func Finalize(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	d, err := newStageRun(ctx, api.FinalizeType, in)
	if err != nil {
		return api.Status{}, err
	}
	return d.run(ctx, func(ctx workflow.Context) error {
		if err := d.settleLedger(ctx); err != nil {
			return err
		}
		if err := d.checkpoint(ctx); err != nil {
			return err
		}
		now := workflow.Now(ctx)
		d.status.PointOfNoReturn = &now
		d.status.Stage = "PointOfNoReturn" // recorded by the search attribute's event
		d.detail(ctx, "the ledger is settled: rest %d", d.status.Ledger.Rest)
		return nil
	})
}

// settleLedger measures again and again, ever more rarely. Each new ledger is new evidence: an
// approval names what it saw.
func (d *stageRun) settleLedger(ctx workflow.Context) error {
	defer d.unask(ctx, string(plan.GateFinalize))
	var asked restAsked
	for pause := ledgerFirst; ; pause = min(pause*2, d.longestPause()) {
		ledger, err := d.ledger(ctx)
		if err != nil {
			return err
		}
		if ledger.Rest == 0 && !d.asks(plan.GateFinalize) {
			return nil
		}
		if ledger.Rest == 0 {
			pause = max(pause, evidenceLife) // nothing left to wait for but the person
		}
		q := asked.take(ctx, ledger, ledgerText, pause)
		q.gate = string(plan.GateFinalize)
		if given, err := d.ask(ctx, q); given || err != nil {
			return err
		}
	}
}

// longestPause is how rarely a ledger is measured at last.
func (d *stageRun) longestPause() time.Duration {
	if !d.bounded {
		return ledgerMax
	}
	return evidenceLongest
}

func (d *stageRun) ledger(ctx workflow.Context) (api.Ledger, error) {
	var ledger api.Ledger
	err := d.step(ctx, func(ctx workflow.Context) error {
		var acts *activities.Ledgers
		return workflow.ExecuteActivity(call.Quick(ctx, "ledger of the source"), acts.Ledger, d.request()).Get(ctx, &ledger)
	})
	d.status.Ledger = &ledger
	return ledger, err
}

func ledgerText(ledger api.Ledger) string {
	if ledger.Rest == 0 {
		return "retire the source: nothing is left on it"
	}
	return fmt.Sprintf("retire the source although %d are left: %s; approving accepts this rest, "+
		"and no more", ledger.Rest, rests(ledger))
}

func rests(l api.Ledger) string {
	var names []string
	for _, r := range l.Rows.First() {
		if r.Rest > 0 {
			names = append(names, fmt.Sprintf("%s %s %d", r.Kind, r.Object, r.Rest))
		}
	}
	if rows := l.Rows.Len(); rows > len(l.Rows.First()) {
		const shown = 5
		names = names[:min(shown, len(names))]
		return fmt.Sprintf("%s and more, %d kinds in all", strings.Join(names, ", "), rows)
	}
	return lists.Short(names)
}
