package workflows

import (
	"slices"

	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/moving"
)

// waveStates are the states of a step of a shift, in their order.
var waveStates = []string{api.StagePending, api.WaveGroups, api.WaveProducers, api.WaveSoak, api.StageDone}

// rememberSteps keeps what Shifts have told of the steps that they began: a Shift that is tried
// again starts its table anew, and Rollback must know what all of them did. Which groups others had
// closed is known from the first one: a later one may take a fence of ours for theirs, where no
// mark can be written.
func (m *migration) rememberSteps() {
	for _, w := range m.View().Waves {
		if w.State == api.StagePending {
			continue
		}
		i := slices.IndexFunc(m.steps, func(o api.WaveStatus) bool { return o.Step == w.Step })
		if i < 0 {
			m.steps = append(m.steps, w)
			continue
		}
		before := m.steps[i]
		w.Closed = before.Closed
		if slices.Index(waveStates, before.State) > slices.Index(waveStates, w.State) {
			w.State = before.State
		}
		m.steps[i] = w
	}
}

// closedByOthers are the groups that others had closed before a Shift came to them.
func closedByOthers(steps []api.WaveStatus) (all api.Collected) {
	for _, w := range steps {
		all = all.Plus(w.Closed)
	}
	return all
}

// tellSteps puts into the input of a stage what Shifts have begun.
func (m *migration) tellSteps(in *api.MigrationInput) {
	m.rememberSteps()
	in.Closed = closedByOthers(m.steps)
	if m.Bounded && m.Plan.Traffic.Mode != plan.ModeGateway {
		in.AskedIn = moving.AskedToMove(api.Status{Waves: m.steps})
	}
	for _, groups := range moving.Begun(api.Status{Waves: m.steps}) {
		names, inline := groups.Inline()
		switch {
		case m.Bounded:
			in.FencedIn = append(in.FencedIn, groups)
		case inline:
			in.Fenced = append(in.Fenced, names...)
		}
	}
}
