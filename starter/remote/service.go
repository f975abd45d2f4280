package remote

import (
	"context"
	"errors"
	"time"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/plan"
)

// Service is what commands need of Temporal. Errors are *failure, or one of the three below.
type Service interface {
	// Start starts the migration, or joins the one that runs under the plan's name. One that went
	// back is started anew if again is set.
	Start(ctx context.Context, p plan.Plan, again bool) (Started, error)
	// Snapshot is what a workflow says about itself; of one that ended, its last word.
	Snapshot(ctx context.Context, id string) (Snapshot, error)
	// Update sends a message that the workflow checks and answers; the answer is read into answer.
	// A repeated id gives the first answer.
	Update(ctx context.Context, id, name, updateID string, message, answer any) error
	// Signal leaves a message that is read when a worker runs again.
	Signal(ctx context.Context, id, name string, message any) error
	// Running are those of the workflows that run. It needs no worker.
	Running(ctx context.Context, ids []string) ([]string, error)
	// Check looks at what a migration needs of Temporal.
	Check(ctx context.Context) []Check
	Close()
}

// What a service says besides failures.
var (
	ErrNotFound = errors.New("there is no such workflow")
	ErrNoWorker = errors.New("no worker answers")
	ErrEnded    = errors.New("the workflow has ended")
)

// missing is ErrNotFound with the workflow's id.
type missing struct{ id string }

func (m missing) Error() string { return "there is no workflow " + m.id }

func (m missing) Is(other error) bool { return other == ErrNotFound }

// NotFound is the failure of a caller who names a workflow that isn't there.
func NotFound(id string) error {
	return failure.Usage("rocketshift start -f plan.yaml starts a migration", "%w", missing{id})
}

// Refusal is the workflow's own answer that it doesn't take a message.
type Refusal struct{ Text string }

func (r Refusal) Error() string { return r.Text }

// Started is the answer to a start.
type Started struct {
	WorkflowID string `json:"workflowId"`
	RunID      string `json:"runId"`
	PlanHash   string `json:"planHash"`
	Joined     bool   `json:"joined"` // it ran already, under the same plan
	Ended      bool   `json:"ended"`  // it ran already and has ended; nothing was started
	NoWorker   bool   `json:"noWorker,omitempty"`
}

// Snapshot is a status with what is seen from the outside: pending activities and their heartbeats.
type Snapshot struct {
	api.Status
	WorkflowID string `json:"workflowId"`
	RunID      string `json:"runId,omitempty"`
	Running    bool   `json:"running"`
	// Replication and Sync are the last heartbeats of the data plane, one of Replication for each
	// source broker.
	Replication []api.ReplicationProgress `json:"replication,omitempty"`
	Sync        *api.SyncProgress         `json:"sync,omitempty"`
	// Comparing is how far Verify is while it runs.
	Comparing *api.VerifyProgress `json:"comparing,omitempty"`
	// MeasuredAt is when the oldest of Replication was heard of: heartbeats reach the server only
	// every so often.
	MeasuredAt time.Time `json:"measuredAt,omitzero"`
	Blocked    []Blocked `json:"blocked,omitempty"`
	// Next are the commands that answer what is waited for.
	Next     []string `json:"next,omitempty"`
	ExitCode int      `json:"exitCode"`
}

// Blocked is an activity whose last try did not succeed: a gate that doesn't pass yet, or something
// out of order.
type Blocked struct {
	WorkflowID string    `json:"workflowId"`
	Activity   string    `json:"activity"`
	Attempt    int32     `json:"attempt"`
	Type       string    `json:"type"`
	Cause      string    `json:"cause"`
	At         time.Time `json:"at,omitzero"`
}

// stuckAttempts is how many tries tell a passing trouble (a restarted broker) from one that
// somebody must look at.
const stuckAttempts = 3

// Stuck reports whether more than patience is needed: a gate that isn't ready yet is normal for as
// long as it takes, and so are applications that people were asked for.
func (b Blocked) Stuck() bool {
	return b.Type != activities.NotReadyType && b.Type != activities.BypassedType &&
		b.Attempt > stuckAttempts
}

// Check is one finding of doctor.
type Check struct {
	Name   string `json:"name"`
	Result string `json:"result"` // ok, warning, failed
	Detail string `json:"detail"`
	Next   string `json:"next,omitempty"`
}

// Results of a check. A warning stops no migration.
const (
	CheckOK      = "ok"
	CheckWarning = "warning"
	CheckFailed  = "failed"
)
