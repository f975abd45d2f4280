package driver

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"

	"rocketshift/api"
	"rocketshift/demo/verdict"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

const (
	// deliveryTime is how long groups may take for what they have not received when producers have
	// stopped.
	deliveryTime = 5 * time.Minute
	// proofTime is how long the 5.x consumer may read.
	proofTime = 10 * time.Minute
	// listTime is how late Temporal's list may be.
	listTime = time.Minute
)

// runOnTarget lets producers go on for a while after the migration, then stops them.
func (d *demo) runOnTarget(ctx context.Context) error {
	before, err := d.tail.acknowledged()
	if err != nil {
		return err
	}
	want := before + afterShift*producerCount()
	if err := d.await(ctx, deliveryTime, func() (string, error) {
		now, err := d.tail.acknowledged()
		if now >= want {
			return "", err
		}
		return fmt.Sprintf("producers sent %d of %d messages after the migration", now-before, want-before), err
	}); err != nil {
		return err
	}
	d.console.say("stopping the producers")
	return d.fleet.stopProducers()
}

// awaitReaders waits for everybody who still reads: the groups, and the 5.x application.
func (d *demo) awaitReaders(ctx context.Context) error {
	if _, err := d.tail.acknowledged(); err != nil {
		return err
	}
	want := len(d.tail.sent[proofTopic].acked) // producers have stopped: this is all
	reading, both := errgroup.WithContext(ctx)
	reading.Go(func() error { return d.awaitDeliveries(both) })
	reading.Go(func() error { return d.readThroughProxy(both, want) })
	return reading.Wait()
}

// awaitDeliveries waits until each group has received each acknowledged message of its topics.
func (d *demo) awaitDeliveries(ctx context.Context) error {
	err := d.await(ctx, deliveryTime, d.tail.missing)
	if err != nil && ctx.Err() == nil {
		d.console.say("%v", err) // the verdict counts it
		return nil
	}
	return err
}

// readThroughProxy is the proof that the migrated topic is readable the 5.x way: a group of its own
// reads all of it through the proxy, with the 5.x client.
func (d *demo) readThroughProxy(ctx context.Context, want int) error {
	if d.result.Status.State == api.StateRolledBack {
		return nil // nothing lives on the target
	}
	target := d.result.Status.Target
	if target == nil || target.ProxyGRPC == "" {
		return fmt.Errorf("the migration's status names no 5.x proxy")
	}
	if err := d.createProofGroup(ctx, target.NameServers); err != nil {
		return err
	}
	logs := filepath.Join(d.dir, "app5")
	cmd := exec.CommandContext(ctx, d.bin("rocketshift-demo-app5"), "-endpoint", target.ProxyGRPC, "-group", proofGroup,
		"-topic", proofTopic, "-expect", strconv.Itoa(want), "-within", proofTime.String())
	cmd.Env = append(os.Environ(), "rocketmq.client.logRoot="+logs, "rocketmq.client.logLevel=warn")
	cmd.Stderr = new(strings.Builder)
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("read topic %s through the 5.x proxy %s: %w: %s; see %s", proofTopic,
			target.ProxyGRPC, err, cmd.Stderr, logs)
	}
	d.console.say("the 5.x client read %s messages of topic %s through the proxy at %s",
		strings.TrimSpace(string(out)), proofTopic, target.ProxyGRPC)
	return nil
}

// createProofGroup creates the group on the target with positions at the beginning: a new group
// would start at the end.
func (d *demo) createProofGroup(ctx context.Context, nameServers []string) error {
	brokers, err := rocketmq.NewCluster(d.rocket, nameServers).Brokers(ctx)
	if err != nil {
		return err
	}
	for _, b := range brokers {
		if err := d.rocket.PutGroup(ctx, b.Addr, newGroup(proofGroup)); err != nil {
			return err
		}
		ranges, err := d.rocket.TopicStats(ctx, b.Addr, proofTopic)
		if err != nil {
			return err
		}
		for queue, r := range ranges {
			if err := d.rocket.UpdateOffset(ctx, b.Addr, proofGroup, proofTopic, queue, r.Min); err != nil {
				return err
			}
		}
	}
	return nil
}

// stopApplications ends the consumers in good order: everything they received is in their ledgers.
func (d *demo) stopApplications(context.Context) error { return d.fleet.stopConsumers() }

func (d *demo) judge(context.Context) error {
	d.result.Starts = d.fleet.startCounts()
	in, err := d.tail.verdictInput()
	if err != nil {
		return err
	}
	if d.result.Verdict, d.result.Detail, err = verdict.Judge(in); err != nil {
		return err
	}
	for _, e := range d.result.Detail.Examples {
		d.console.say("%s", e)
	}
	d.console.say("longest pause %.1f s: %s; sends without an answer: %d",
		float64(d.result.Verdict.LongestPauseMs)/1000, d.result.Detail.Pause, d.result.Detail.Unclear)
	return nil
}

// Execution is one line of `temporal workflow list`.
type Execution struct{ Status, ID, Type string }

// listWorkflows prints what `temporal workflow list` shows: the migration and its stages, all
// closed.
func (d *demo) listWorkflows(ctx context.Context) error {
	err := d.await(ctx, listTime, func() (open string, err error) {
		d.result.Workflows, err = d.executions(ctx)
		for _, e := range d.result.Workflows {
			if e.Status == enums.WORKFLOW_EXECUTION_STATUS_RUNNING.String() {
				open = e.ID + " still runs"
			}
		}
		return open, err
	})
	for _, e := range d.result.Workflows {
		d.console.say("%-10s %-34s %s", e.Status, e.ID, e.Type)
	}
	return err
}

func (d *demo) executions(ctx context.Context) ([]Execution, error) {
	answer, err := d.sdk.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: "default"})
	if err != nil {
		return nil, fmt.Errorf("list workflows: %w", err)
	}
	var list []Execution
	for _, e := range answer.GetExecutions() {
		if id := e.GetExecution().GetWorkflowId(); strings.HasPrefix(id, plan.WorkflowID(d.o.Name)) {
			list = append(list, Execution{e.GetStatus().String(), id, e.GetType().GetName()})
		}
	}
	slices.SortFunc(list, func(a, b Execution) int { return strings.Compare(a.ID, b.ID) })
	return list, nil
}
