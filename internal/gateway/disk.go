package gateway

import (
	"log/slog"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/sleep"
)

// A disk that can't be written doesn't end the gateway: it serves as everything stood, says so,
// moves nothing, and goes on trying to write.

// saveAgain is how soon a state is written again that couldn't be: room on a disk may come at any
// time.
const saveAgain = 2 * time.Second

// trouble is why the last state isn't on disk.
type trouble struct {
	cause error
	since time.Time
}

// StateProblem says why what the gateway decided isn't on its disk, and since when; "" if it is.
// While there is one, clients are served as everything stood, and nothing moves.
func (g *Gateway) StateProblem() string { return g.state.problem() }

func (f *stateFile) problem() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.trouble.cause == nil {
		return ""
	}
	return f.trouble.cause.Error() + "; since " + f.trouble.since.UTC().Format(time.RFC3339)
}

// noted takes note of whether a write went well. Callers hold f.mu.
func (f *stateFile) noted(err error) {
	was := f.trouble
	switch {
	case err == nil:
		f.trouble = trouble{}
	case was.cause == nil:
		f.trouble = trouble{err, time.Now()}
	default:
		f.trouble.cause = err
	}
	if f.log == nil || (was.cause == nil) == (err == nil) {
		return
	}
	if err != nil {
		f.log.Error(
			"the state can't be written: clients are served as everything stood, and nothing moves until it can",
			slog.Any("cause", err),
		)
		return
	}
	f.log.Info("the state is on disk again", "after", time.Since(was.since).String())
}

// keepSaving writes the state again that couldn't be written.
func (g *Gateway) keepSaving() {
	for sleep.For(g.ctx, saveAgain) == nil {
		if g.StateProblem() != "" {
			_ = g.save() // which is said once
		}
	}
}

// writable refuses moves while what they decide couldn't be kept.
func (g *Gateway) writable() error {
	if g.StateProblem() == "" || g.save() == nil {
		return nil
	}
	return control.Refused("%s; make room on that disk, or make it writable: it is tried again every %s",
		g.StateProblem(), saveAgain)
}
