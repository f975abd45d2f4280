package remote

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/mocks"
	"google.golang.org/protobuf/types/known/timestamppb"

	"rocketshift/api"
)

// answer is what a query brings.
type answer struct {
	converter.EncodedValue
	status api.Status
}

func (a answer) Get(into any) error {
	*into.(*api.Status) = a.status
	return nil
}

// watchedServer is a server with a running workflow; the test says what its history has.
type watchedServer struct {
	*mocks.Client
	events int64
	runID  string
	polled time.Time // when a worker asked last
	asked  int
	err    error
}

func newWatchedServer() (*watchedServer, *temporalService) {
	s := &watchedServer{Client: &mocks.Client{}, events: 10, runID: "first", polled: time.Now()}
	return s, &temporalService{client: s, cached: map[string]cached{}}
}

func (s *watchedServer) DescribeWorkflowExecution(
	context.Context, string, string,
) (*workflowservice.DescribeWorkflowExecutionResponse, error) {
	return &workflowservice.DescribeWorkflowExecutionResponse{
		WorkflowExecutionInfo: &workflowpb.WorkflowExecutionInfo{
			Execution: &commonpb.WorkflowExecution{WorkflowId: "migration-a", RunId: s.runID},
			Status:    enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, HistoryLength: s.events,
		},
	}, nil
}

func (s *watchedServer) QueryWorkflow(
	_ context.Context, _, _, _ string, _ ...any,
) (converter.EncodedValue, error) {
	s.asked++
	return answer{status: api.Status{Name: "a", Detail: s.runID}}, s.err
}

func (s *watchedServer) DescribeTaskQueue(
	context.Context, string, enumspb.TaskQueueType,
) (*workflowservice.DescribeTaskQueueResponse, error) {
	return &workflowservice.DescribeTaskQueueResponse{Pollers: []*taskqueuepb.PollerInfo{
		{LastAccessTime: timestamppb.New(s.polled)},
	}}, nil
}

func TestWatchingAsksOnlyWhenTheHistoryHasGrown(t *testing.T) {
	s, service := newWatchedServer()
	look := func() Snapshot {
		t.Helper()
		got, err := service.Snapshot(t.Context(), "migration-a")
		require.NoError(t, err)
		return got
	}
	for range 5 {
		assert.Equal(t, "first", look().Detail)
	}
	assert.Equal(t, 1, s.asked)
	s.events++
	look()
	look()
	assert.Equal(t, 2, s.asked, "something has happened")
	s.runID = "second"
	assert.Equal(t, "second", look().Detail, "another run is another workflow")
	assert.Equal(t, 3, s.asked)
	s.polled = time.Now().Add(-time.Hour)
	look()
	assert.Equal(t, 4, s.asked, "without a worker a query says what is wrong")
	s.err = errors.New("no poller")
	_, err := service.Snapshot(t.Context(), "migration-a")
	require.Error(t, err)
	s.err, s.polled = nil, time.Now()
	look()
	assert.Equal(t, 6, s.asked, "what failed is asked again")
}
