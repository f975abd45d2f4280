package driver

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"rocketshift/api"
	"rocketshift/plan"
)

const (
	// answerTime is how long the status query may go unanswered: a killed worker's successor needs
	// seconds.
	answerTime = 4 * time.Minute
	// queryTime bounds one query; without a worker it would wait for one.
	queryTime = 15 * time.Second
)

// watch follows the migration to its end: it prints what changes, and acts as the approver and the
// release pipeline.
func (d *demo) watch(ctx context.Context) error {
	w := d.watcher()
	heard := time.Now()
	for {
		status, err := d.status(ctx)
		if err != nil && time.Since(heard) > answerTime {
			return fmt.Errorf("no status for %s: %w; the end of %s:\n%s", answerTime, err, d.worker.log,
				tail(d.worker.log))
		}
		if err == nil {
			heard = time.Now()
			d.result.Status = status
			if ended, err := w.turn(ctx, status); ended || err != nil {
				return err
			}
		}
		if err := d.fleet.checkAlive(); err != nil {
			return err
		}
		if err := pause(ctx, look); err != nil {
			return err
		}
	}
}

func (d *demo) status(ctx context.Context) (api.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, queryTime)
	defer cancel()
	var status api.Status
	value, err := d.sdk.QueryWorkflow(ctx, plan.WorkflowID(d.o.Name), "", api.StatusQuery)
	if err != nil {
		return status, err
	}
	return status, value.Get(&status)
}

// watcher is the demo's side of the conversation with the migration.
type watcher struct {
	*demo
	shown    map[string]string // last line printed about a stage or a wave
	notes    []string
	answered map[string]bool
	toKill   []string
	back     bool // asked

	blackedOut bool
	copying    func(context.Context, api.Status) bool
}

func (d *demo) watcher() *watcher {
	return &watcher{
		demo: d, shown: map[string]string{}, answered: map[string]bool{},
		toKill: slices.Clone(d.o.KillWorkerDuring), copying: d.copying,
	}
}

// turn handles one status. The migration's own end ends the watch.
func (w *watcher) turn(ctx context.Context, s api.Status) (ended bool, err error) {
	w.show(s)
	switch s.State {
	case api.StateDone:
		return true, nil
	case api.StateRolledBack:
		if w.o.BackAt > 0 {
			return true, nil
		}
		return true, fmt.Errorf("the migration was rolled back, though nobody was to ask for it")
	case api.StateFailed:
		return true, fmt.Errorf("the migration ended as %s: %s", s.State, s.Error)
	}
	if err := w.killWorker(ctx, s); err != nil {
		return false, err
	}
	if err := w.blackout(ctx, s); err != nil {
		return false, err
	}
	if err := w.askBack(ctx, s); err != nil {
		return false, err
	}
	for _, waiting := range s.Waiting {
		if err := w.answer(ctx, s, waiting); err != nil {
			return false, err
		}
	}
	return false, nil
}

// show prints one line for each stage, wave or note that changed.
func (w *watcher) show(s api.Status) {
	for _, stage := range s.Stages {
		if stage.State != api.StagePending {
			w.line("stage "+stage.Name, stage.State, stage.Detail)
		}
	}
	for _, wave := range s.Waves {
		if wave.State != api.StagePending {
			w.line(fmt.Sprintf("step %d%%", wave.Step), wave.State, strings.Join(wave.Topics.First(), ", "))
		}
	}
	for _, n := range s.Notes {
		if !slices.Contains(w.notes, n) {
			w.notes = append(w.notes, n)
			if !strings.Contains(n, pipeline) { // what the pipeline said is printed when it says it
				w.console.say("note: %s", n)
			}
		}
	}
}

func (w *watcher) line(what, state, detail string) {
	if w.shown[what] == state {
		return
	}
	w.shown[what] = state
	if detail != "" {
		detail = ": " + detail
	}
	w.console.say("%s %s%s", what, state, detail)
}

// rocketshift runs the project's command line, as people and pipelines do. Exit codes that only
// tell the migration's state (3: it waits) are no errors.
func (d *demo) rocketshift(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, d.bin("rocketshift"), args...)
	cmd.Env = append(os.Environ(), d.env()...)
	out, err := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); err != nil && code != 3 {
		return fmt.Errorf("rocketshift %s: exit code %d: %s", strings.Join(args, " "), code,
			strings.TrimSpace(string(out)))
	}
	return nil
}
