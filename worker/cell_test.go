package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"sigs.k8s.io/yaml"

	"rocketshift/api"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

const (
	queuesPerBroker = 2
	// queuesOfTopic counts those of the two source brokers.
	queuesOfTopic = 2 * queuesPerBroker
	// fenceBudget is that of the cells' plans: more than a fence takes on a busy machine.
	fenceBudget = 30 * time.Second
	// peopleLook is how often a cell's people look at the status.
	peopleLook = 300 * time.Millisecond
	// cellPatience bounds each wait of a cell, on a machine that runs many of them.
	cellPatience = 8 * time.Minute
)

// cell is one migration to which something is done in the middle of a stage.
type cell struct {
	*rig
	t    *testing.T
	name string
	at   position
	plan plan.Plan
	file string // of the plan
	log  io.Writer

	apps     *applications
	entrance []string // the name servers that applications begin with
	gateway  *program
	control  *control.Client

	wait  atomic.Pointer[func(api.Waiting) bool] // what people don't answer yet
	back  bool                                   // was asked
	begun time.Time
	row   row
}

func (c *cell) orders() string  { return c.name + "-a-orders" }
func (c *cell) notes() string   { return c.name + "-b-notes" }
func (c *cell) orderly() string { return c.name + "-ledger" }
func (c *cell) free() string    { return c.name + "-mail" }

func (c *cell) groups() []string { return []string{c.orderly(), c.free()} }
func (c *cell) topics() []string { return []string{c.orders(), c.notes()} }

// newCell makes topics, groups, a gateway where the position wants one, and running applications.
func (s *rig) newCell(t *testing.T, name string, at position) *cell {
	t.Helper()
	c := &cell{
		rig: s, t: t, name: name, at: at, begun: time.Now(), log: labtest.Output(t, "programs"),
		entrance: s.source.NameServers,
	}
	c.createObjects()
	if at.mode == plan.ModeGateway {
		c.startGateway()
	}
	c.apps = newApplications(filepath.Join(s.bin, "rocketshift-demo-app"), t.TempDir(), c.log, c)
	t.Cleanup(c.apps.kill)
	require.NoError(t, c.apps.deploy(s.ctx, c.groups(), c.topics(), c.entrance))
	c.writePlan()
	return c
}

func (c *cell) createObjects() {
	for _, b := range c.source.Brokers {
		for _, topic := range c.topics() {
			require.NoError(c.t, c.rocket.CreateTopic(c.ctx, b.Addr, rocketmq.TopicConfig{
				Name: topic, ReadQueues: queuesPerBroker, WriteQueues: queuesPerBroker, Perm: 6,
				FilterType: "SINGLE_TAG",
			}))
		}
		for _, group := range c.groups() {
			require.NoError(c.t, c.rocket.PutGroup(c.ctx, b.Addr, rocketmq.Group{
				Name: group, ConsumeEnable: true, FromMinEnable: true, BroadcastEnable: true,
				RetryQueues: 1, RetryMaxTimes: 16, WhichBrokerWhenSlow: 1, NotifyChanged: true,
			}))
		}
	}
}

func (c *cell) startGateway() {
	args := []string{
		filepath.Join(c.bin, "rocketshift-gateway"), "--name", c.name, "--listen", "127.0.0.1",
		"--advertise", "127.0.0.1", "--name-server-port", "0", "--control", "127.0.0.1:0",
		"--metrics", "127.0.0.1:0", "--state", c.t.TempDir(),
	}
	for _, ns := range c.source.NameServers {
		args = append(args, "--source", ns)
	}
	p, err := spawnProgram(c.log, "{", c.environment(), args...)
	require.NoError(c.t, err)
	c.gateway = p
	c.t.Cleanup(p.kill)
	line, err := p.awaitReady(c.ctx)
	require.NoError(c.t, err)
	var says struct{ NameServer, Control string }
	require.NoError(c.t, json.Unmarshal([]byte(line), &says), line)
	c.entrance = []string{says.NameServer}
	c.control = control.NewClient(says.Control, control.Access{Token: gatewayToken})
	c.plan.Traffic = plan.Traffic{Mode: plan.ModeGateway, Gateways: []string{says.Control}}
}

func (c *cell) writePlan() {
	only := plan.Selection{Include: []string{c.name + "-*"}}
	c.plan = plan.Plan{
		Name: c.name, Source: plan.Cluster{NameServers: c.source.NameServers},
		Target: plan.Target{
			Provider: plan.ProviderExisting, NameServers: c.target.NameServers,
		},
		Topics: plan.TopicSelection{Selection: only, Ordered: []string{c.orders()}}, Groups: only,
		Traffic: c.plan.Traffic,
		Shift: plan.Shift{
			Steps: []int{50, 100}, Soak: plan.Duration(time.Second),
			FenceBudget: plan.Duration(fenceBudget),
		},
		Approvals: []plan.Gate{plan.GateShift, plan.GateFinalize},
		// a killed worker is replaced within seconds
		Replicate: plan.Replicate{
			Heartbeat: plan.Duration(10 * time.Second), SyncInterval: plan.Duration(time.Second),
		},
	}.WithDefaults()
	require.NoError(c.t, c.plan.Validate())
	text, err := yaml.Marshal(c.plan)
	require.NoError(c.t, err)
	c.file = filepath.Join(c.t.TempDir(), "plan.yaml")
	require.NoError(c.t, os.WriteFile(c.file, text, 0o644))
}

func (c *cell) id(stage string) string { return api.StageID(c.plan, stage) }

func (c *cell) start(more ...string) {
	require.NoError(c.t, c.rocketshift(append([]string{"start", "-f", c.file}, more...)...))
}

// status is the migration's; ok is false while nobody answers.
func (c *cell) status() (s api.Status, ok bool) {
	ctx, cancel := context.WithTimeout(c.ctx, 10*time.Second) // without a worker it would wait for one
	defer cancel()
	value, err := c.client.QueryWorkflow(ctx, c.id(api.MigrationType), "", api.StatusQuery)
	return s, err == nil && value.Get(&s) == nil
}

// state is how Temporal sees a stage's newest run.
func (c *cell) state(stage string) enumspb.WorkflowExecutionStatus {
	ctx, cancel := context.WithTimeout(c.ctx, 10*time.Second)
	defer cancel()
	d, err := c.client.DescribeWorkflowExecution(ctx, c.id(stage), "")
	if err != nil {
		return enumspb.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED
	}
	return d.GetWorkflowExecutionInfo().GetStatus()
}

// until waits for a condition.
func (c *cell) until(what string, ok func() bool) {
	c.t.Helper()
	deadline := time.Now().Add(cellPatience)
	for !ok() {
		if time.Now().After(deadline) || c.ctx.Err() != nil {
			s, _ := c.status()
			text, _ := yaml.Marshal(s)
			c.t.Fatalf("%s: not within %s: %s; the status:\n%s", c.name, cellPatience, what, text)
		}
		time.Sleep(peopleLook)
	}
}

// people answer approvals and re-point applications, as the status asks, until stop.
func (c *cell) people() (stop func()) {
	ctx, cancel := context.WithCancel(c.ctx)
	var working sync.WaitGroup
	answered := map[string]bool{}
	working.Go(func() {
		for ctx.Err() == nil {
			if s, ok := c.status(); ok {
				for _, w := range s.Waiting {
					c.answer(ctx, w, answered)
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(peopleLook):
			}
		}
	})
	return func() { cancel(); working.Wait() }
}

func (c *cell) answer(ctx context.Context, w api.Waiting, answered map[string]bool) {
	key := fmt.Sprint(w.Kind, w.Gate, w.Groups, w.Topics, w.To, w.Evidence, w.Since.UnixNano())
	if unready := c.wait.Load(); answered[key] || unready != nil && (*unready)(w) {
		return
	}
	switch w.Kind {
	case api.WaitingApproval:
		answered[key] = c.update(ctx, api.ApproveName,
			api.Approval{Gate: w.Gate, By: "people"}) == nil
	case api.WaitingRelease:
		if err := c.release(ctx, w); err != nil {
			if ctx.Err() == nil {
				fmt.Fprintf(c.log, "release: %v\n", err)
			}
			return
		}
		answered[key] = c.update(ctx, api.ReleasedName,
			api.Released{By: "pipeline", Groups: w.Groups.First(), Topics: w.Topics.First()}) == nil
	}
}

// release re-points what is asked for. At the end phase it is one instance after the other.
func (c *cell) release(ctx context.Context, w api.Waiting) error {
	fmt.Fprintf(c.log, "%s release to %s: %v %v\n", time.Now().Format("15:04:05.000"), w.To, w.Groups, w.Topics)
	if w.Groups.Len()+w.Topics.Len() == 0 { // a run that has assessed nothing knows no names
		w.Groups, w.Topics = api.Some(c.groups()...), api.Some(c.topics()...)
	}
	if c.at.mode != plan.ModeGateway {
		return c.apps.deploy(ctx, w.Groups.First(), w.Topics.First(), w.NameServers)
	}
	for _, g := range w.Groups.First() {
		if err := c.apps.deploy(ctx, []string{g}, nil, w.NameServers); err != nil {
			return err
		}
	}
	for _, t := range w.Topics.First() {
		if err := c.apps.deploy(ctx, nil, []string{t}, w.NameServers); err != nil {
			return err
		}
	}
	return nil
}

// update sends an update to the migration.
func (c *cell) update(ctx context.Context, name string, message any) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	err := c.rig.update(ctx, c.id(api.MigrationType), name, message)
	fmt.Fprintf(c.log, "%s %s %+v: %v\n", time.Now().Format("15:04:05.000"), name, message, err)
	return err
}

// reach brings the migration to the cell's position. Others, if set, is called where nobody is
// refused yet: it waits for other cells, if somebody is at the position.
func (c *cell) reach(others func() error) {
	b := c.barrier()
	if c.at.activity != "" {
		require.NoError(c.t, b.close())
	}
	waits := func(w api.Waiting) bool { return c.at.waits(w) }
	before := waits
	if c.at.refused && others != nil && !c.at.back {
		before = firstStep
	}
	c.wait.Store(&before)
	c.start()
	if c.at.back {
		c.untilAsked("the second step asks for its approval", secondStep)
	} else if c.at.refused && others != nil {
		c.untilAsked("the first step asks for its approval", firstStep)
	}
	if c.at.refused && others != nil {
		require.NoError(c.t, others())
		c.wait.Store(&waits)
	}
	if c.at.back {
		c.goBack()
	}
	c.until("it stands at "+c.at.name, func() bool {
		if c.at.activity != "" {
			return b.reached().isClosed()
		}
		s, ok := c.status()
		if ok && held(s) { // a fence took longer than its budget, on a busy machine
			c.steer(goalDone)
		}
		return ok && slices.ContainsFunc(s.Waiting, c.at.waits)
	})
	if !c.at.refused && others != nil {
		require.NoError(c.t, others())
	}
}

// untilAsked waits until people are asked for something.
func (c *cell) untilAsked(what string, asked func(api.Waiting) bool) {
	c.t.Helper()
	c.until(what, func() bool {
		s, ok := c.status()
		return ok && slices.ContainsFunc(s.Waiting, asked)
	})
}

func (c *cell) barrier() barrier {
	return barrierOf(c.barriers, c.id(c.at.in()), c.at.activity)
}

// letGo opens the barrier, and lets people answer what they left open; but nobody deploys to a
// target that is dead.
func (c *cell) letGo(away bool) {
	if dead := func(w api.Waiting) bool { return w.To == api.Target }; away {
		c.wait.Store(&dead)
	} else {
		c.wait.Store(nil)
	}
	require.NoError(c.t, c.barrier().open())
}

func (c *cell) goBack() {
	c.t.Helper()
	c.until("back is accepted", func() bool {
		return c.update(c.ctx, api.BackName, api.Steering{By: "people"}) == nil
	})
	c.back = true
}
