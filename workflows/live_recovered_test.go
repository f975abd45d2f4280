package workflows

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/internal/lab/labtest"
	"rocketshift/plan"
	"rocketshift/workflows/message"
	"rocketshift/workflows/standins"
)

// standing is where a workflow stands when it is reset or terminated: an activity of it waits.
type standing struct {
	stage, activity string
	plan            func(*plan.Plan)
	at              string // activity at which its migration stands, if that is another one
	back            string // activity from which it goes back to stand there
}

func standings() []standing {
	return []standing{
		{stage: api.AssessType, activity: "Assess"},
		{stage: api.PurchaseType, activity: "Purchase"},
		{stage: api.ImportMetadataType, activity: "Apply"},
		{stage: api.ReplicateType, activity: "Replicate", at: "Verify"},
		{stage: api.SyncOffsetsType, activity: "Sync", at: "Verify"},
		{stage: api.VerifyType, activity: "Verify"},
		{stage: api.ShiftType, activity: "AwaitSettled"},
		{stage: api.ShiftType, activity: "MoveOrdered"},
		{stage: api.ShiftType, activity: "MoveHomes", plan: gateways},
		{stage: api.EndPhaseType, activity: "AwaitEmpty", plan: gateways},
		{stage: api.FinalizeType, activity: "Ledger"},
		{stage: api.RollbackType, activity: "AwaitReturnable", back: "AwaitQuiet"},
		{stage: api.RollbackType, activity: "Pending", plan: gateways, back: "MoveHomes"},
	}
}

func (s standing) isService() bool { return s.at != "" }

// TestLongEachWorkflowIsRecoveredAfterResetsAndTerminations does both to every type of workflow and
// to its migration, while it stands in the middle of its work, and to stages that were started
// alone. Whoever terminates one starts it again, or resumes its migration, and that is all. The
// short form does one of six at each place, in turn.
func TestLongEachWorkflowIsRecoveredAfterResetsAndTerminations(t *testing.T) {
	s := newServer(t)
	types := map[string]bool{api.MigrationType: true}
	const together = 12 // most of them wait: for the end of what a stage that was reset began
	turn := make(chan struct{}, together)
	var playing sync.WaitGroup
	for i, at := range standings() {
		types[at.stage] = true
		for j, name := range []string{"reset", "terminate"} {
			deed := map[string]func(*played, string){
				"reset": (*played).reset, "terminate": (*played).terminate,
			}[name]
			for k, whom := range []string{"stage", "migration", "alone"} {
				do := map[string]func(*played){
					"stage":     func(p *played) { p.recoveredInMigration(at, at.stage, deed) },
					"migration": func(p *played) { p.recoveredInMigration(at, api.MigrationType, deed) },
					"alone":     func(p *played) { p.recoveredAlone(at, deed) },
				}[whom]
				if !labtest.Whole() && (i%2 != j || i%3 != k) {
					continue
				}
				title := strings.ToLower(strings.Join([]string{name, whom, slugOf(at.stage), at.activity}, "-"))
				playing.Go(func() {
					turn <- struct{}{}
					defer func() { <-turn }()
					t.Run(title,
						func(t *testing.T) { do(s.play(t, fmt.Sprintf("recovered-%s-%s-%d", name, whom, i), at.plan)) })
				})
			}
		}
	}
	playing.Wait()
	require.Len(t, types, len(stageOrder)+2, "every type of workflow")
}

// recoveredInMigration brings a migration to where the stage stands, does something to one of its
// workflows, and resumes it, or starts it again, until it has come to an end.
func (p *played) recoveredInMigration(at standing, whom string, deed func(*played, string)) {
	stands := at.activity
	if at.isService() {
		stands = at.at
	}
	release := p.clusters.Hold(stands)
	if at.back != "" {
		p.backFrom(at.back)()
	} else {
		p.start()
	}
	p.called(stands)
	p.called(at.activity)
	calls := p.clusters.Calls(at.activity)
	deed(p, whom)
	if at.isService() && whom == at.stage {
		require.NoError(p, p.clusters.Called(p.ctx, at.activity, calls+1), "it runs again by itself")
	}
	if !at.isService() || whom == at.stage {
		p.goesOnOrIsHeld(stands, whom)
	}
	release()
	p.recovered()
}

// goesOnOrIsHeld waits until what was done has been taken in: it is tried again, or somebody is to
// resume, or to start it again.
func (p *played) goesOnOrIsHeld(activity, whom string) {
	p.Helper()
	calls := p.clusters.Calls(activity)
	for p.clusters.Calls(activity) < calls+3 && p.runs(whom) {
		select {
		case <-p.ctx.Done():
			require.FailNow(p, "nothing goes on", api.Details(p.status()))
		case <-time.After(50 * time.Millisecond): // between two looks
		}
	}
}

// recovered does what the docs say until the migration has ended, and requires a good end: done, or
// everything is back.
func (p *played) recovered() {
	p.Helper()
	id := p.plan.WorkflowID()
	for {
		d, err := p.client.DescribeWorkflowExecution(p.ctx, id, "")
		require.NoError(p, err)
		switch state := d.GetWorkflowExecutionInfo().GetStatus(); state {
		case enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING:
			p.run = p.client.GetWorkflow(p.ctx, id, d.GetWorkflowExecutionInfo().GetExecution().GetRunId())
			p.resumeIfHeld()
		case enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED:
			p.run = nil
			p.start()
		default:
			p.run = p.client.GetWorkflow(p.ctx, id, "")
			var s api.Status
			require.NoError(p, p.run.Get(p.ctx, &s))
			require.Contains(p, []string{api.StateDone, api.StateRolledBack}, s.State)
			require.Empty(p, p.left(), "nothing runs any more")
			return
		}
		select {
		case <-p.ctx.Done():
			require.FailNow(p, "it isn't recovered", api.Details(p.status()))
		case <-time.After(100 * time.Millisecond): // between two looks
		}
	}
}

func (p *played) resumeIfHeld() {
	value, err := p.client.QueryWorkflow(p.ctx, p.run.GetID(), p.run.GetRunID(), api.StatusQuery)
	var s api.Status
	if err == nil && value.Get(&s) == nil && slices.ContainsFunc(s.Waiting,
		func(w api.Waiting) bool { return w.Gate == api.ResumeName }) {
		_ = p.update(p.run.GetID(), api.ResumeName, api.Steering{By: "alice"}) // somebody else may have been quicker
	}
}

// left are the stages that still run.
func (p *played) left() (stages []string) {
	for _, stage := range append([]string{api.RollbackType}, stageOrder...) {
		if p.runs(stage) {
			stages = append(stages, stage)
		}
	}
	return stages
}

// runs reports whether a workflow of the migration runs.
func (p *played) runs(stage string) bool {
	d, err := p.client.DescribeWorkflowExecution(p.ctx, api.StageID(p.plan, stage), "")
	return err == nil && d.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
}

// recoveredAlone does something to a stage that was started alone, and starts it again where it has
// ended.
func (p *played) recoveredAlone(at standing, deed func(*played, string)) {
	id := api.StageID(p.plan, at.stage)
	release := func() {}
	if !at.isService() {
		release = p.clusters.Hold(at.activity)
	}
	if at.stage == api.RollbackType {
		p.clusters.Answer("Survey", func(context.Context, activities.SurveyRequest) (activities.Survey, error) {
			return activities.Survey{FencedGroups: api.Some("orders-group")}, nil
		})
	}
	begin := func() client.WorkflowRun { return p.startAs(at.stage, id, api.MigrationInput{Plan: p.plan}) }
	begin()
	p.called(at.activity)
	calls := p.clusters.Calls(at.activity)
	deed(p, at.stage)
	if !p.runs(at.stage) {
		begin()
	}
	require.NoError(p, p.clusters.Called(p.ctx, at.activity, calls+1), "it is tried again")
	release()
	if at.isService() {
		p.signal(at.stage, api.StopName, struct{}{})
	}
	var s api.Status
	require.NoError(p, p.client.GetWorkflow(p.ctx, id, "").Get(p.ctx, &s))
	require.Equal(p, api.StateDone, s.State)
}

// reset begins a workflow anew from its first task, without what was said to it since.
func (p *played) reset(stage string) {
	p.Helper()
	require.NoError(p, resetToFirstTask(p.ctx, p.client, api.StageID(p.plan, stage)))
}

func resetToFirstTask(ctx context.Context, c client.Client, id string) error {
	firstTask := int64(0)
	events := c.GetWorkflowHistory(ctx, id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for firstTask == 0 && events.HasNext() {
		event, err := events.Next()
		if err != nil {
			return fmt.Errorf("history of %s: %w", id, err)
		}
		if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			firstTask = event.GetEventId()
		}
	}
	_, err := c.ResetWorkflowExecution(ctx, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: client.DefaultNamespace, Reason: "a test", RequestId: rand.Text(),
		WorkflowExecution:         &commonpb.WorkflowExecution{WorkflowId: id},
		WorkflowTaskFinishEventId: firstTask,
		ResetReapplyExcludeTypes: []enumspb.ResetReapplyExcludeType{
			enumspb.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL, enumspb.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE,
		},
	})
	if err != nil {
		return fmt.Errorf("reset of %s: %w", id, err)
	}
	return nil
}

// A Shift that is reset asks for its step again, which takes days: what it had fenced before is
// opened first.
func TestLongAShiftThatIsResetUnderItsFenceOpensTheSourceBeforeItAsksAgain(t *testing.T) {
	p := newServer(t).play(t, "reset-under-fence", func(p *plan.Plan) { p.Approvals = []plan.Gate{plan.GateShift} })
	fenced := newFences(p.clusters)
	release := p.clusters.Hold("AwaitSettled")
	p.start()
	p.asked("shift-100")
	require.NoError(t, p.update(p.run.GetID(), api.ApproveName, api.Approval{Gate: "shift-100", By: "alice"}))
	p.called("AwaitSettled")
	require.True(t, fenced())
	p.reset(api.ShiftType)
	p.until("it is asked again, with the source open", func(s api.Status) bool {
		_, asked := message.WaitingApproval(s, "shift-100")
		return asked && !fenced()
	})
	release()
	require.NoError(t, p.update(p.run.GetID(), api.ApproveName, api.Approval{Gate: "shift-100", By: "alice"}))
	p.ends(api.StateDone)
}

// newFences lets clusters remember whether groups are fenced on the source.
func newFences(c *standins.Clusters) (fenced func() bool) {
	var mu sync.Mutex
	shut := false
	set := func(to bool) func(context.Context, activities.GroupsRequest) error {
		return func(_ context.Context, r activities.GroupsRequest) error {
			mu.Lock()
			defer mu.Unlock()
			if r.Side == api.Source {
				shut = to
			}
			return nil
		}
	}
	fenced = func() bool {
		mu.Lock()
		defer mu.Unlock()
		return shut
	}
	c.Answer("Fence", set(true))
	c.Answer("Unfence", set(false))
	c.Answer("Stranded", func(context.Context, activities.SurveyRequest) (found activities.Stranded, err error) {
		if fenced() {
			found.Source = []string{"orders-group"}
		}
		return found, nil
	})
	return fenced
}
