package main

import (
	"fmt"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"rocketshift/api"
	"rocketshift/plan"
)

// position is where a migration stands when something is done to it.
type position struct {
	name  string
	mode  string // of the plan's traffic
	stage string // whose workflow is cancelled and terminated
	// activity that waits at a barrier, of the workflow of type within; of the stage if that is
	// empty
	activity, within string
	// waits, without an activity, is what people leave open until the intervention is done
	waits func(api.Waiting) bool
	// back says that it is a way back, from where the first step stands
	back bool
	// refused says that groups or producers are refused on both sides there: nobody stands there
	// longer than it takes to do the intervention
	refused bool
}

func (p position) in() string {
	if p.within != "" {
		return p.within
	}
	return p.stage
}

// nothing is left open where an activity waits; on a way back it is the second step.
func (p position) withDefaults() position {
	if p.waits == nil {
		p.waits = func(w api.Waiting) bool { return p.back && secondStep(w) }
	}
	return p
}

func firstStep(w api.Waiting) bool {
	return w.Kind == api.WaitingApproval && w.Gate == api.ShiftGate(50)
}

func secondStep(w api.Waiting) bool {
	return w.Kind == api.WaitingApproval && w.Gate == api.ShiftGate(100)
}

func asksGroups(w api.Waiting) bool {
	return w.Kind == api.WaitingRelease && w.Groups.Len() > 0
}

func asksProducers(w api.Waiting) bool {
	return w.Kind == api.WaitingRelease && w.Topics.Len() > 0
}

func asksToFinalize(w api.Waiting) bool {
	return w.Kind == api.WaitingApproval && w.Gate == string(plan.GateFinalize)
}

// positions are all stages, and each step of those that touch applications.
func positions() []position {
	release, behind := plan.ModeRelease, plan.ModeGateway
	all := []position{
		{name: "assess", mode: release, stage: api.AssessType, activity: "Assess"},
		{name: "purchase", mode: release, stage: api.PurchaseType, activity: "Purchase"},
		{name: "import", mode: release, stage: api.ImportMetadataType, activity: "Apply"},
		{
			name: "replicate", mode: release, stage: api.ReplicateType,
			activity: "AwaitCaughtUp", within: api.MigrationType,
		},
		{
			name: "sync", mode: release, stage: api.SyncOffsetsType,
			activity: "AwaitCaughtUp", within: api.MigrationType,
		},
		{name: "verify", mode: release, stage: api.VerifyType, activity: "Verify"},
		// the group is fenced on the source
		{
			name: "fenced", mode: release, stage: api.ShiftType,
			activity: "AwaitSettled", refused: true,
		},
		// its positions stand still, and aren't written on the target yet
		{
			name: "settled", mode: release, stage: api.ShiftType,
			activity: "Translate", refused: true,
		},
		// it may read the target, and its applications are asked to move
		{
			name: "groups", mode: release, stage: api.ShiftType, waits: asksGroups, refused: true,
		},
		{name: "producers", mode: release, stage: api.ShiftType, waits: asksProducers},
		// nobody may write to the ordered topic
		{
			name: "drained", mode: release, stage: api.ShiftType,
			activity: "MoveOrdered", refused: true,
		},
		{name: "finalize", mode: release, stage: api.FinalizeType, waits: asksToFinalize},
		// the group is fenced on both sides
		{
			name: "back-fenced", mode: release, stage: api.RollbackType,
			activity: "Translate", back: true, refused: true,
		},
		{
			name: "back-groups", mode: release, stage: api.RollbackType,
			activity: "Unfence", back: true, refused: true,
		},
		{name: "prepare", mode: behind, stage: api.ShiftType, activity: "Prepare"},
		{name: "sides", mode: behind, stage: api.ShiftType, activity: "MoveGroups"},
		{name: "homes", mode: behind, stage: api.ShiftType, activity: "MoveHomes"},
		{name: "soak", mode: behind, stage: api.ShiftType, activity: "JudgeSoak"},
		{name: "end", mode: behind, stage: api.EndPhaseType, waits: asksGroups},
		{name: "finalize", mode: behind, stage: api.FinalizeType, waits: asksToFinalize},
		{
			name: "back-homes", mode: behind, stage: api.RollbackType,
			activity: "MoveHomes", back: true,
		},
		{
			name: "back-sides", mode: behind, stage: api.RollbackType,
			activity: "MoveGroups", back: true,
		},
	}
	for i := range all {
		all[i] = all[i].withDefaults()
	}
	return all
}

// intervention is what is done to a migration.
type intervention struct {
	name string
	do   func(*cell) error // nil of an intervention that is done to all cells at once
	// ends is how the migration's run ends by the intervention alone; unspecified if it goes on
	ends enumspb.WorkflowExecutionStatus
	// holds says that the migration waits for a person after it, unless the stage is kept by it
	holds bool
	// only, if set, says where it is done
	only func(position) bool
	// silence is for how long the intervention itself may keep groups from reading
	silence time.Duration
	// repeats says that groups may read again what they have read: the docs say so
	repeats bool
	// away says that the target is dead until groups read again
	away bool
}

const (
	running    = enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
	cancelled  = enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED
	terminated = enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED
	completed  = enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
)

// interventions are those that are done to one migration.
func interventions() []intervention {
	return []intervention{
		{name: "none", do: func(*cell) error { return nil }, only: isControl},
		{
			name: "cancel-migration", ends: cancelled,
			do: func(c *cell) error { return c.cancel(api.MigrationType) },
		},
		{
			name: "terminate-migration", ends: terminated,
			do: func(c *cell) error { return c.terminate(api.MigrationType) },
		},
		{
			name: "cancel-stage", holds: true,
			do: func(c *cell) error { return c.cancel(c.at.stage) },
		},
		{
			name: "terminate-stage", holds: true,
			do: func(c *cell) error { return c.terminate(c.at.stage) },
		},
		{name: "reset", do: func(c *cell) error { return c.reset() }},
		{
			name: "terminate-both", ends: terminated,
			do: func(c *cell) error {
				if err := c.terminate(api.MigrationType); err != nil {
					return err
				}
				return c.terminate(c.at.stage)
			},
			only: func(p position) bool { return touches(p) },
		},
	}
}

// Interventions that are done at once to all migrations, each at its position.
func temporalKilled() intervention {
	return intervention{name: "temporal-killed", silence: time.Minute}
}

func workerDead(span time.Duration) intervention {
	return intervention{name: "worker-dead", silence: span}
}

// targetKilled is followed by a way back: groups that go on at the source from where they were
// fenced read again what they have read on the target since.
// One try of a move that is under way takes up to twenty seconds until it says that the target is
// away.
func targetKilled() intervention {
	return intervention{name: "target-killed", repeats: true, away: true, silence: 20 * time.Second}
}

// isControl are the positions that are run without a intervention too: for the silence that the
// moves of applications cost anyway.
func isControl(p position) bool {
	return p.name == "groups" || p.name == "soak" || p.name == "back-fenced" || p.name == "back-sides"
}

// touches reports whether applications are in the middle of something there.
func touches(p position) bool {
	return p.stage == api.ShiftType || p.stage == api.EndPhaseType ||
		p.stage == api.RollbackType
}

func (c *cell) cancel(stage string) error {
	return c.client.CancelWorkflow(c.ctx, c.id(stage), "")
}

func (c *cell) terminate(stage string) error {
	return c.client.TerminateWorkflow(c.ctx, c.id(stage), "", "a test")
}

// syncPoint does a shared intervention once, when all cells have reached their positions.
type syncPoint struct {
	mu      sync.Mutex
	missing int
	do      func() error
	err     error
	done    chan struct{}
}

func newSyncPoint(cells int, do func() error) *syncPoint {
	m := &syncPoint{missing: cells, do: do, done: make(chan struct{})}
	if cells == 0 {
		close(m.done)
	}
	return m
}

// arriveAndAwait is called once for each cell, also for one that has failed.
func (m *syncPoint) arriveAndAwait() error {
	m.arrive()
	return m.await()
}

// await returns when all have arrived.
func (m *syncPoint) await() error {
	<-m.done
	return m.err
}

func (m *syncPoint) arrive() {
	m.mu.Lock()
	m.missing--
	if m.missing == 0 {
		if m.do != nil {
			m.err = m.do()
		}
		close(m.done)
	}
	m.mu.Unlock()
}

// shared is what cells do together: they reach their positions, the intervention is done, and what
// comes after it. Cells at which somebody is refused go on to their positions when the others have
// reached theirs. Only some cells are on their way at a time.
type shared struct {
	reached, intervention, after *syncPoint
	turn                         chan struct{}
}

// enter waits until the cell may set out; it leaves when it has reached its position.
func (s *shared) enter() (leave func()) {
	s.turn <- struct{}{}
	return sync.OnceFunc(func() { <-s.turn })
}

// row is what a cell has shown.
type row struct {
	cell                        string
	silence                     map[string]time.Duration // of each group and producer, its longest
	lost, repeated, disordered  int64
	reread, messages, unclear   int64
	end                         string
	reached, finished, wholeFor time.Duration
	stood                       time.Duration // where somebody is refused, for the others to come
}

func (r row) String() string {
	longest := time.Duration(0)
	for _, s := range r.silence {
		longest = max(longest, s)
	}
	return fmt.Sprintf(
		"%-42s silence %5.1f s  lost %d repeated %d (+%d reread) disordered %d of %4d (%d unclear)  %-10s  "+
			"reached %3.0f s, ended %3.0f s after, whole %3.0f s",
		r.cell,
		longest.Seconds(),
		r.lost,
		r.repeated,
		r.reread,
		r.disordered,
		r.messages,
		r.unclear,
		r.end,
		r.reached.Seconds(),
		r.finished.Seconds(),
		r.wholeFor.Seconds(),
	)
}
