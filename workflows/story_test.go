package workflows

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/internal/lab/labtest"
	"rocketshift/plan"
)

// testPlan is a valid plan; change may alter it.
func testPlan(t *testing.T, change func(*plan.Plan)) plan.Plan {
	t.Helper()
	p := plan.Plan{
		Name:   "orders-2026",
		Source: plan.Cluster{NameServers: []string{"127.0.0.1:9876"}},
		Target: plan.Target{Provider: "local"},
	}
	p.Approvals = []plan.Gate{}
	p = p.WithDefaults()
	if change != nil {
		change(&p)
	}
	require.NoError(t, p.Validate())
	return p
}

func testInventory() *api.Inventory {
	inventory := api.Whole(testAssessment())
	return &inventory
}

// first is the first of the names that a request is about.
func first(names api.Names) string { return names.First()[0] }

func testAssessment() api.Assessment {
	return api.Assessment{
		SourceVersion: "4.9.7", SourceBrokers: []string{"broker-a", "broker-b"},
		Topics: []api.Topic{
			{
				Name:     "orders",
				Queues:   8,
				Messages: 100,
				Type:     plan.TypeNormal,
				Ordered:  true,
				Readers:  []string{"orders-group"},
			},
			{
				Name:     "payments",
				Queues:   8,
				Messages: 50,
				Type:     plan.TypeNormal,
				Readers:  []string{"payments-group", "audit-group"},
			},
		},
		Groups:     []api.Group{{Name: "audit-group"}, {Name: "orders-group", Orderly: true}, {Name: "payments-group"}},
		MeasuredAt: time.Unix(1_790_000_000, 0).UTC(),
	}
}

// workflowEnvironment runs workflows with activities that a test plays, and notes the calls.
type workflowEnvironment struct {
	*testsuite.TestWorkflowEnvironment
	mu    sync.Mutex
	calls []string
}

func (s *workflowEnvironment) note(call string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call)
}

func (s *workflowEnvironment) called() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.calls...)
}

func newTheatre(t *testing.T) *workflowEnvironment {
	t.Helper()
	s := emptyTheatre(t)
	Register(s, false)
	return s
}

// emptyTheatre has the activities but no workflow yet: a test of Migration brings stand-ins for its
// children.
func emptyTheatre(t *testing.T) *workflowEnvironment {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(log.NewStructuredLogger(labtest.Log(t, "workflow")))
	s := &workflowEnvironment{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment()}
	s.SetWorkerOptions(worker.Options{DisableRegistrationAliasing: true})
	s.SetTestTimeout(5 * time.Minute) // of real time without anything happening
	for _, a := range []any{
		&activities.Assess{}, &activities.Purchase{}, &activities.Metadata{}, &activities.Replication{}, &activities.Offsets{},
		&activities.Verifier{}, &activities.Traffic{}, &activities.Gateways{}, &activities.Returns{}, &activities.Ledgers{}, &activities.Reports{},
		&activities.Plans{}, // pure: the real one
	} {
		s.RegisterActivity(a)
	}
	return s
}

// groupsStep makes an activity on groups record itself as name@side.
func (s *workflowEnvironment) groupsStep(name string, answer func(activities.GroupsRequest) error) {
	s.OnActivity(name, anything, anything).Return(func(_ context.Context, r activities.GroupsRequest) error {
		s.note(name + "@" + string(r.Side))
		if answer != nil {
			return answer(r)
		}
		return nil
	})
}

func (s *workflowEnvironment) topicsStep(name string) {
	s.OnActivity(name, anything, anything).Return(func(_ context.Context, r activities.TopicsRequest) error {
		s.note(name + " " + first(r.Topics) + "@" + string(r.Side))
		return nil
	})
}

// playTraffic answers every activity of Shift and Rollback with success.
func (s *workflowEnvironment) playTraffic() {
	s.OnActivity("Describe", anything, anything).
		Return(activities.PurchaseResult{NameServers: []string{"127.0.0.1:9900"}}, nil)
	s.OnActivity("State", anything, anything).Return(activities.ReplicationState{Lanes: 16}, nil)
	s.OnActivity("Moved", anything, anything).Return([]string(nil), nil)
	s.OnActivity("ClosedByOthers", anything, anything).Return([]string(nil), nil)
	s.OnActivity("Stranded", anything, anything).Return(activities.Stranded{}, nil)
	s.OnActivity("Forget", anything, anything).Return(nil)
	s.OnActivity("Missing", anything, anything).Return([]string(nil), nil)
	s.OnActivity("AwaitTarget", anything, anything).Return(nil)
	s.OnActivity("WatchTarget", anything, anything).Return(nil) // nobody watches
	for _, name := range []string{"Fence", "Unfence", "AwaitSettled"} {
		s.groupsStep(name, nil)
	}
	s.OnActivity("AwaitReturnable", anything, anything).
		Return(func(_ context.Context, r activities.ReturnRequest) error {
			s.note(fmt.Sprintf("AwaitReturnable@%s free %v", r.Side, r.Free))
			return nil
		})
	s.OnActivity("Translate", anything, anything).
		Return(func(_ context.Context, r activities.GroupsRequest) ([]activities.GroupPositions, error) {
			s.note("Translate@" + string(r.Side))
			return nil, nil
		})
	s.OnActivity("AwaitMembers", anything, anything).
		Return(func(_ context.Context, r activities.AwaitMoveRequest) ([]activities.Members, error) {
			s.note("AwaitMembers@" + string(r.From))
			return nil, nil
		})
	s.OnActivity("AwaitQuiet", anything, anything).Return(func(_ context.Context, r activities.AwaitMoveRequest) error {
		s.note("AwaitQuiet " + first(r.Topics) + "@" + string(r.From))
		return nil
	})
	s.movesOrdered(func(r activities.AwaitMoveRequest) error {
		s.note("MoveOrdered " + first(r.Topics) + "@" + string(r.From))
		return nil
	})
	s.topicsStep("CloseTopics")
	s.topicsStep("OpenTopics")
	s.OnActivity("AwaitDrained", anything, anything).
		Return(func(_ context.Context, r activities.TopicsRequest) (activities.ReplicationState, error) {
			s.note("AwaitDrained " + first(r.Topics))
			return activities.ReplicationState{}, nil
		})
	s.OnActivity("CheckWave", anything, anything).Return(api.WaveCheck{Measured: time.Unix(1, 0)}, nil)
	s.OnActivity("AwaitPending", anything,
		anything).Return(func(context.Context, activities.Request) error { return nil })
	delivered := false // what the target held for later: nothing any more from the second look on
	s.OnActivity("Pending", anything, anything).Return(func(context.Context, activities.Request) (api.Ledger, error) {
		s.note("Pending")
		left := api.Ledger{
			Rest: 1,
			Rows: api.Some(api.LedgerRow{Kind: "delayed", Object: "broker broker-a level 3", Rest: 1}),
		}
		if delivered {
			left = api.Ledger{}
		}
		delivered = true
		return left, nil
	})
}

// ExecuteWorkflow starts a stage under the id that its plan's name makes.
func (s *workflowEnvironment) ExecuteWorkflow(kind any, input ...any) {
	name, _ := kind.(string)
	if in, ok := input[0].(api.MigrationInput); ok {
		s.SetStartWorkflowOptions(client.StartWorkflowOptions{
			ID:        api.StageID(in.Plan, name),
			TaskQueue: api.ControlTaskQueue,
		})
	}
	s.OnRequestCancelExternalWorkflow(anything, anything,
		anything).Return(func(_, id, _ string) error {
		s.note("cancel " + id)
		return nil
	})
	s.OnSignalExternalWorkflow(anything, anything, anything, anything,
		anything).Return(errors.New("there is no such workflow"))
	s.TestWorkflowEnvironment.ExecuteWorkflow(kind, input...)
}

// startAs are the options of a workflow under an id.
func startAs(id string) client.StartWorkflowOptions {
	return client.StartWorkflowOptions{ID: id, TaskQueue: api.ControlTaskQueue}
}

func (s *workflowEnvironment) statusNow(t *testing.T) api.Status {
	t.Helper()
	v, err := s.QueryWorkflow(api.StatusQuery)
	require.NoError(t, err)
	var got api.Status
	require.NoError(t, v.Get(&got))
	return got
}

// leftBehind requires that a stage which was started alone ended by back, and says what is to be
// done.
func (s *workflowEnvironment) leftBehind(t *testing.T) {
	t.Helper()
	require.True(t, s.IsWorkflowCompleted())
	require.ErrorContains(t, s.GetWorkflowError(), "start Rollback")
	require.Equal(t, api.StateFailed, s.statusNow(t).State)
}

// result is the workflow's last status; it must have completed without an error.
func (s *workflowEnvironment) result(t *testing.T) api.Status {
	t.Helper()
	require.True(t, s.IsWorkflowCompleted(), "the workflow is still open; calls so far: %v", s.called())
	require.NoError(t, s.GetWorkflowError())
	var got api.Status
	require.NoError(t, s.GetWorkflowResult(&got))
	return got
}

// answered collects what an update answered.
type answered struct {
	rejected  error
	accepted  bool
	completed bool
	result    any
	err       error
}

func (a *answered) Accept()                   { a.accepted = true }
func (a *answered) Reject(err error)          { a.rejected = err }
func (a *answered) Complete(r any, err error) { a.result, a.err, a.completed = r, err, true }

func (s *workflowEnvironment) update(name string, message any) *answered {
	a := &answered{}
	s.UpdateWorkflow(name, "", a, message)
	return a
}
