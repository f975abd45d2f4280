package remote

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"

	"rocketshift/api"
)

const (
	// pollerFresh is a little more than one long poll: a worker that was killed is listed for
	// minutes after.
	pollerFresh = 70 * time.Second
	// enoughRetention keeps a finished migration's history for those who ask weeks later.
	enoughRetention = 7 * 24 * time.Hour
)

// Check looks at server, namespace, search attributes and workers.
func (t *temporalService) Check(ctx context.Context) []Check {
	return append([]Check{t.checkServer(ctx), t.checkNamespace(ctx), t.checkAttributes(ctx)}, t.checkWorkers(ctx)...)
}

func (t *temporalService) checkServer(ctx context.Context) Check {
	c := Check{Name: "temporal", Result: CheckOK}
	info, err := t.client.WorkflowService().GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{})
	if err != nil {
		c.Result, c.Detail, c.Next = CheckFailed, fmt.Sprintf("%s: %s", t.options.HostPort, err), "see the server's log"
		return c
	}
	c.Detail = fmt.Sprintf("%s answers, server %s", t.options.HostPort, info.GetServerVersion())
	return c
}

func (t *temporalService) checkNamespace(ctx context.Context) Check {
	c := Check{Name: "namespace", Result: CheckOK}
	d, err := t.client.WorkflowService().
		DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: t.options.Namespace})
	if err != nil {
		c.Result, c.Detail = CheckFailed, fmt.Sprintf("%s: %s", t.options.Namespace, err)
		c.Next = "create it (temporal operator namespace create), or set TEMPORAL_NAMESPACE"
		return c
	}
	kept := d.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration()
	c.Detail = fmt.Sprintf("%s keeps finished migrations for %s", t.options.Namespace, days(kept))
	if kept < enoughRetention {
		c.Result, c.Next = CheckWarning, "temporal operator namespace update --namespace "+t.options.Namespace+" --retention 90d"
	}
	return c
}

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return d.String()
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func (t *temporalService) checkAttributes(ctx context.Context) Check {
	c := Check{Name: "search attributes", Result: CheckOK}
	list, err := t.client.OperatorService().
		ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: t.options.Namespace})
	if err != nil {
		c.Result, c.Detail = CheckWarning, "they can't be listed here: "+err.Error()
		return c
	}
	wanted := api.SearchAttributes()
	missing := slices.DeleteFunc(slices.Clone(wanted), func(name string) bool {
		return list.GetCustomAttributes()[name] == enumspb.INDEXED_VALUE_TYPE_KEYWORD
	})
	if len(missing) > 0 {
		c.Result = CheckWarning
		c.Detail = "not registered as Keyword: " + strings.Join(missing,
			", ") + "; migrations run, but can't be searched by stage"
		c.Next = "start a worker (it registers them), or temporal operator search-attribute create --type " +
			"Keyword --name NAME"
		return c
	}
	c.Detail = strings.Join(wanted, ", ")
	return c
}

func (t *temporalService) checkWorkers(ctx context.Context) []Check {
	var out []Check
	for _, want := range []struct {
		role, queue string
		kinds       []enumspb.TaskQueueType
	}{
		{"control", api.ControlTaskQueue, []enumspb.TaskQueueType{enumspb.TASK_QUEUE_TYPE_WORKFLOW, enumspb.TASK_QUEUE_TYPE_ACTIVITY}},
		{"data", api.DataTaskQueue, []enumspb.TaskQueueType{enumspb.TASK_QUEUE_TYPE_ACTIVITY}},
	} {
		c := Check{Name: want.role + " worker", Result: CheckOK}
		fewest := -1
		for _, kind := range want.kinds {
			if n := t.pollers(ctx, want.queue, kind); fewest < 0 || n < fewest {
				fewest = n
			}
		}
		c.Detail = fmt.Sprintf("%d polling task queue %s", fewest, want.queue)
		if fewest == 0 {
			c.Result, c.Next = CheckFailed, "start one: bin/rocketshift-worker (ROCKETSHIFT_ROLES="+want.role+")"
		}
		out = append(out, c)
	}
	return out
}

// pollers counts the workers that asked for this kind of task lately.
func (t *temporalService) pollers(ctx context.Context, queue string, kind enumspb.TaskQueueType) int {
	d, err := t.client.DescribeTaskQueue(ctx, queue, kind)
	if err != nil {
		return 0
	}
	n := 0
	for _, p := range d.GetPollers() {
		if time.Since(p.GetLastAccessTime().AsTime()) < pollerFresh {
			n++
		}
	}
	return n
}
