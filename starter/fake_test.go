package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/plan"
	"rocketshift/starter/remote"
)

// fake is a Temporal that says what the test tells it to, and remembers what it was told.
type fake struct {
	again   bool   // of the last start
	looks   []look // one for each Snapshot; the last one stays
	started remote.Started
	startIs error
	update  func(message any) (answer any, err error)
	signal  error
	checks  []remote.Check
	running []string // of Running
	away    error    // of Running

	asked   []string // ids of Snapshot
	plans   []plan.Plan
	updates []sent
	signals []sent
}

type look struct {
	snapshot remote.Snapshot
	err      error
}

type sent struct {
	id, name, updateID string
	message            any
}

func (f *fake) Close() {}

func (f *fake) Running(_ context.Context, ids []string) ([]string, error) {
	return slices.DeleteFunc(slices.Clone(f.running),
		func(id string) bool { return !slices.Contains(ids, id) }), f.away
}

func (f *fake) Check(context.Context) []remote.Check { return f.checks }

func (f *fake) Start(_ context.Context, p plan.Plan, again bool) (remote.Started, error) {
	f.plans, f.again = append(f.plans, p), again
	return f.started, f.startIs
}

func (f *fake) Snapshot(_ context.Context, id string) (remote.Snapshot, error) {
	f.asked = append(f.asked, id)
	now := f.looks[0]
	if len(f.looks) > 1 {
		f.looks = f.looks[1:]
	}
	return now.snapshot, now.err
}

func (f *fake) Update(_ context.Context, id, name, updateID string, message, answer any) error {
	f.updates = append(f.updates, sent{id, name, updateID, message})
	if f.update == nil {
		return nil
	}
	given, err := f.update(message)
	if err != nil {
		return err
	}
	b, err := json.Marshal(given)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, answer)
}

func (f *fake) Signal(_ context.Context, id, name string, message any) error {
	f.signals = append(f.signals, sent{id, name, "", message})
	return f.signal
}

// outcome is what one command line left behind.
type outcome struct {
	code           int
	stdout, stderr string
}

var noon = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

// rocketshift runs a command line against the fake. Its clock moves a minute with every look.
func rocketshift(t *testing.T, f *fake, args ...string) outcome {
	t.Helper()
	return rocketshiftIn(t, f, "", nil, args...)
}

func rocketshiftIn(t *testing.T, f *fake, stdin string, env map[string]string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	a := newApp(strings.NewReader(stdin), &stdout, &stderr,
		func(k string) (string, bool) { v, ok := env[k]; return v, ok })
	clock := noon
	a.now = func() time.Time { clock = clock.Add(time.Minute); return clock }
	a.pace = time.Millisecond
	a.connect = func(context.Context) (remote.Service, error) {
		if f == nil {
			return nil, failure.Broken("start it", "temporal at nowhere:7233 does not answer")
		}
		return f, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), guard)
	defer cancel()
	out := outcome{code: a.run(ctx, args)}
	require.NoError(t, ctx.Err(), "the command did not end: rocketshift %s", strings.Join(args, " "))
	out.stdout, out.stderr = stdout.String(), stderr.String()
	return out
}

// document is the only JSON document on standard output.
func (o outcome) document(t *testing.T) map[string]any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(o.stdout))
	var doc map[string]any
	require.NoError(t, decoder.Decode(&doc), "stdout %q, stderr %q", o.stdout, o.stderr)
	require.False(t, decoder.More(), "more than one document: %s", o.stdout)
	return doc
}

// running is a migration between two questions.
func running(change ...func(*remote.Snapshot)) remote.Snapshot {
	started := noon.Add(-time.Hour)
	s := remote.Snapshot{WorkflowID: "migration-orders", RunID: "run-1", Running: true, Status: api.Status{
		Name: "orders", Type: api.MigrationType, PlanHash: "0123456789ab", Stage: "Shift", State: api.StateRunning,
		Stages: []api.StageStatus{
			{Name: "Assess", State: api.StageDone, Detail: "3 topics", StartedAt: &started, EndedAt: &noon},
			{Name: "Shift", State: api.StageRunning, WorkflowID: "migration-orders-shift", StartedAt: &noon},
			{Name: "Finalize", State: api.StagePending},
		},
		Waves: []api.WaveStatus{
			{Step: 25, State: api.WaveGroups, Topics: api.Some("orders"), Groups: api.Some("billing")},
			{Step: 100, State: api.StagePending, Topics: api.Some("payments")},
		},
	}}
	for _, c := range change {
		c(&s)
	}
	return s
}

// asking is a migration that waits for one approval.
func asking(gate string) remote.Snapshot {
	expires := noon.Add(time.Hour)
	return running(func(s *remote.Snapshot) {
		s.State = api.StateWaiting
		s.Waiting = []api.Waiting{{
			Kind: api.WaitingApproval, Gate: gate, Text: "shift to 25%: topics orders",
			PlanHash: "0123456789ab", Evidence: "fedcba987654", WorkflowID: "migration-orders-shift",
			Since: noon, Expires: &expires,
		}}
	})
}

// asksRelease is a migration that waits for the applications of one group.
func asksRelease() remote.Snapshot {
	return running(func(s *remote.Snapshot) {
		s.State = api.StateWaiting
		s.Waiting = []api.Waiting{{
			Kind: api.WaitingRelease, Gate: "groups", Text: "re-point billing", Groups: api.Some("billing"),
			Since: noon, WorkflowID: "migration-orders-shift",
		}}
	})
}

func over(state, problem string) remote.Snapshot {
	return running(func(s *remote.Snapshot) {
		s.Running, s.State, s.Error, s.Waiting, s.Report = false, state, problem, nil, ".run/reports/orders.json"
	})
}

func seen(all ...remote.Snapshot) []look {
	var looks []look
	for _, s := range all {
		looks = append(looks, look{snapshot: s})
	}
	return looks
}

func unseen(err error) []look { return []look{{err: err}} }

var errLate = errors.Join(remote.ErrNoWorker, context.DeadlineExceeded)
