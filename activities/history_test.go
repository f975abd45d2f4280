package activities_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"rocketshift/internal/lab/labtest"
	"rocketshift/workflows"
)

// What Temporal keeps of one workflow may have at most: a payload so that the server doesn't warn
// (512 kB) nor people wait for the Web UI, a history so that a worker reads it in a second.
const (
	mostPayload = 256 << 10
	mostHistory = 10 << 20
	mostEvents  = 10_000
	mostPending = 100
)

// keptHistory is what Temporal keeps of a workflow.
type keptHistory struct {
	events  []*historypb.HistoryEvent
	bytes   int
	payload int    // the largest
	in      string // which event has it
	pending int    // the most activities, and children, at one time
	broken  string // a workflow task that failed
}

// kept reads the history of a workflow; one that never ran has none.
func kept(t *testing.T, c client.Client, id string) *keptHistory {
	t.Helper()
	k := &keptHistory{}
	pending := 0
	events := c.GetWorkflowHistory(t.Context(), id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		event, err := events.Next()
		var none *serviceerror.NotFound
		if errors.As(err, &none) {
			return k
		}
		require.NoError(t, err)
		k.events = append(k.events, event)
		k.bytes += proto.Size(event)
		if size := largestPayload(event.ProtoReflect()); size > k.payload {
			k.payload, k.in = size, fmt.Sprint(event.GetEventId(), " ", event.GetEventType())
		}
		pending += pends(event.GetEventType())
		k.pending = max(k.pending, pending)
		if failed := event.GetWorkflowTaskFailedEventAttributes(); failed != nil &&
			failed.GetCause() != enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND { // something came meanwhile
			k.broken = failed.String()
		}
	}
	return k
}

// pends is how an event changes the number of what is pending.
func pends(kind enumspb.EventType) int {
	switch kind {
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, enumspb.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
		return 1
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED, enumspb.EVENT_TYPE_ACTIVITY_TASK_FAILED,
		enumspb.EVENT_TYPE_ACTIVITY_TASK_CANCELED, enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT,
		enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED, enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED,
		enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED, enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
		return -1
	}
	return 0
}

// largestPayload is how many bytes the largest payload in a message has.
func largestPayload(m protoreflect.Message) (most int) {
	if payload, is := m.Interface().(*commonpb.Payload); is {
		return proto.Size(payload)
	}
	m.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case field.IsMap():
			v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
				if field.MapValue().Message() != nil {
					most = max(most, largestPayload(v.Message()))
				}
				return true
			})
		case field.Message() == nil:
		case field.IsList():
			for i := range v.List().Len() {
				most = max(most, largestPayload(v.List().Get(i).Message()))
			}
		default:
			most = max(most, largestPayload(v.Message()))
		}
		return true
	})
	return most
}

func (k *keptHistory) String() string {
	return fmt.Sprintf("%d events, %d kB, largest payload %d bytes (%s), at most %d pending", len(k.events),
		k.bytes>>10, k.payload, k.in, k.pending)
}

func (k *keptHistory) check(t *testing.T, id string) {
	t.Helper()
	assert.Less(t, k.payload, mostPayload, "%s: payload of %s", id, k.in)
	assert.Less(t, k.bytes, mostHistory, "%s: bytes of its history", id)
	assert.Less(t, len(k.events), mostEvents, "%s: events", id)
	assert.LessOrEqual(t, k.pending, mostPending, "%s: pending at one time", id)
	assert.Empty(t, k.broken, "%s: a workflow task failed", id)
}

// replay runs the workflow's code over its history.
func (k *keptHistory) replay(t *testing.T, id string) {
	t.Helper()
	if len(k.events) == 0 {
		return
	}
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{})
	require.NoError(t, err)
	workflows.Register(replayer, true)
	assert.NoError(t, replayer.ReplayWorkflowHistory(log.NewStructuredLogger(labtest.Log(t, "replay")),
		&historypb.History{Events: k.events}), "%s replays", id)
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, into))
}
