package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"rocketshift/api"
	"rocketshift/demo/ledger"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// Goals: what people want after the intervention.
const (
	goalDone = "done"
	goalBack = "rolledBack"
)

// reset makes the migration begin anew at its first workflow task: what was started since is there
// twice.
func (c *cell) reset() error {
	id := c.id(api.MigrationType)
	d, err := c.client.DescribeWorkflowExecution(c.ctx, id, "")
	if err != nil {
		return err
	}
	run := d.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	first := int64(0)
	history := c.client.GetWorkflowHistory(c.ctx, id, run, false,
		enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() && first == 0 {
		event, err := history.Next()
		if err != nil {
			return err
		}
		if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			first = event.GetEventId()
		}
	}
	_, err = c.client.ResetWorkflowExecution(c.ctx, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace:         client.DefaultNamespace,
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: run},
		Reason:            "a test", WorkflowTaskFinishEventId: first, RequestId: fmt.Sprint(time.Now().UnixNano()),
	})
	return err
}

// followUp does what the docs say, until the migration has come to the goal.
func (c *cell) followUp(d intervention, goal string) {
	if d.ends == cancelled {
		c.until("a cancelled migration ends by itself", func() bool {
			state := c.state(api.MigrationType)
			return state == cancelled || c.at.back && state == completed // it went back already
		})
		if goal == goalBack {
			return
		}
	}
	if d.holds && !c.kept(d) {
		c.until("the migration is held", func() bool { s, ok := c.status(); return ok && held(s) })
	}
	started := 0
	c.until("the migration comes to the end: "+goal, func() bool {
		switch state := c.state(api.MigrationType); state {
		case running:
			c.steer(goal)
		case completed:
			s, ok := c.status()
			if ok {
				require.Equal(c.t, goal, s.State, "%s: the end; %s", c.name, s.Error)
			}
			return ok
		case terminated, cancelled:
			if started++; started == 1 {
				c.back = false
				c.start(again(state)...)
			} else if goal == goalBack && state == cancelled {
				return true
			}
		case enumspb.WORKFLOW_EXECUTION_STATUS_FAILED:
			s, _ := c.status()
			c.t.Fatalf("%s: the migration failed: %s", c.name, s.Error)
		}
		return false
	})
}

// again is what people add where a migration was cancelled: a pipeline that repeats its start must
// not undo that.
func again(state enumspb.WorkflowExecutionStatus) (more []string) {
	if state == cancelled {
		return []string{"--again"}
	}
	return nil
}

// kept are stages that the migration starts again by itself.
func (c *cell) kept(d intervention) bool {
	return c.at.stage == api.ReplicateType || c.at.stage == api.SyncOffsetsType ||
		c.at.stage == api.RollbackType && strings.HasPrefix(d.name, "terminate")
}

func held(s api.Status) bool { return s.State == api.StateHeld }

// forAPerson tells a hold from a wait for a service, which the migration starts again by itself.
func forAPerson(w api.Waiting) bool {
	return w.Gate == api.ResumeName && !strings.Contains(w.Text, "started again by itself")
}

// steer resumes or goes back.
func (c *cell) steer(goal string) {
	s, ok := c.status()
	switch {
	case !ok:
	case goal == goalBack && !c.back:
		c.back = c.update(c.ctx, api.BackName, api.Steering{By: "people"}) == nil
	case held(s) && slices.ContainsFunc(s.Waiting, forAPerson):
		_ = c.update(c.ctx, api.ResumeName, api.Steering{By: "people"})
	}
}

// untilGroupsRead waits until each group was given a message that was sent after a moment.
func (c *cell) untilGroupsRead(since time.Time) {
	c.until("groups read what was sent after the intervention", func() bool {
		fresh := map[string]bool{}
		for _, one := range c.apps.producers {
			sent, err := ledger.ReadSent(one.ledger)
			require.NoError(c.t, err)
			for _, r := range sent {
				fresh[r.ID] = fresh[r.ID] || r.Outcome == ledger.Ack && r.At > since.UnixNano()
			}
		}
		for _, one := range c.apps.members {
			got, err := ledger.ReadReceived(one.ledger)
			require.NoError(c.t, err)
			if !slices.ContainsFunc(got, func(r ledger.Received) bool { return fresh[r.ID] }) {
				return false
			}
		}
		return true
	})
}

// finish lets the applications read everything, and says what became of them.
func (c *cell) finish(goal string) {
	time.Sleep(2 * time.Second) // they go on for a while after the end
	require.NoError(c.t, c.apps.stop(c.apps.producers))
	c.awaitDeliveries()
	require.NoError(c.t, c.apps.stop(c.apps.members))
	v, detail, err := c.apps.judge()
	require.NoError(c.t, err)
	reread := int64(len(detail.Reread))
	r := &c.row
	r.lost, r.repeated, r.disordered = v.Lost, v.Duplicated-reread, v.OutOfOrder
	r.reread, r.messages, r.unclear, r.end = reread, v.Messages, detail.Unclear, goal
	r.silence = map[string]time.Duration{}
	for who, ms := range detail.Pauses {
		r.silence[strings.Replace(who, c.name+"-", "", 1)] = time.Duration(ms) * time.Millisecond
	}
	for _, e := range detail.Examples {
		fmt.Fprintln(c.log, e)
	}
	fmt.Fprintf(c.log, "pauses %v; longest: %s\n", detail.Pauses, detail.Pause)
}

// awaitDeliveries waits until no group lacks a message.
func (c *cell) awaitDeliveries() {
	deadline := time.Now().Add(time.Minute)
	for {
		v, _, err := c.apps.judge()
		require.NoError(c.t, err)
		if v.Lost == 0 || time.Now().After(deadline) {
			return
		}
		time.Sleep(peopleLook)
	}
}

// requireNothingLeft checks that no workflow of the migration runs, and that everything is on one
// side.
func (c *cell) requireNothingLeft(goal string) {
	for _, stage := range []string{
		api.MigrationType, api.AssessType, api.PurchaseType,
		api.ImportMetadataType, api.ReplicateType, api.SyncOffsetsType,
		api.VerifyType, api.ShiftType, api.EndPhaseType, api.FinalizeType,
		api.RollbackType,
	} {
		c.until(stage+" has ended", func() bool { return c.state(stage) != running })
	}
	if c.at.mode == plan.ModeGateway {
		c.requireGateway(goal)
		return
	}
	for _, g := range c.groups() {
		for _, b := range c.brokersOf(c.source.NameServers) {
			open, mark := c.fence(b, g)
			require.Equal(c.t, goal == goalBack, open, "%s: group %s on source broker %s is open", c.name, g, b.Name)
			require.Equal(c.t, goal == goalDone, mark > 0, "%s: group %s has our mark on source broker %s: %d",
				c.name, g, b.Name, mark)
		}
		for _, b := range c.brokersOf(c.target.NameServers) {
			group, there := c.groupAt(b, g)
			require.Equal(c.t, goal == goalDone, there && group.ConsumeEnable,
				"%s: group %s on target broker %s is open", c.name, g, b.Name)
		}
	}
}

func (c *cell) brokersOf(nameServers []string) []rocketmq.Broker {
	brokers, err := rocketmq.NewCluster(c.rocket, nameServers).Brokers(c.ctx)
	require.NoError(c.t, err)
	return brokers
}

// fence reads whether a group is open on a source broker, and the migration's mark of it.
func (c *cell) fence(b rocketmq.Broker, group string) (open bool, mark int64) {
	settings, there := c.groupAt(b, group)
	require.True(c.t, there, "group %s on %s", group, b.Name)
	mark, known, err := c.rocket.QueryOffset(c.ctx, b.Addr, c.plan.LaneGroup()+"-fenced",
		rocketmq.RetryTopic(group), 0)
	if !known || err != nil {
		mark = 0
	}
	return settings.ConsumeEnable, mark
}

func (c *cell) groupAt(b rocketmq.Broker, name string) (rocketmq.Group, bool) {
	all, err := c.rocket.Groups(c.ctx, b.Addr)
	require.NoError(c.t, err)
	group, there := all[name]
	return group, there
}

func (c *cell) requireGateway(goal string) {
	state, err := c.control.State(c.ctx)
	require.NoError(c.t, err)
	require.Empty(c.t, state.Round, "%s: the gateway is in a move", c.name)
	require.False(c.t, state.Doubt || state.Fenced, "%s: doubt %t, fenced %t", c.name, state.Doubt, state.Fenced)
	require.Empty(c.t, state.StateProblem)
	away := 0 // queues of the cell's topics; the gateway knows those of others too
	for _, q := range state.Homes.Away {
		if slices.Contains(c.topics(), q.Topic) {
			away++
		}
	}
	side, homes := "source", 0
	if goal == goalDone {
		side, homes = "target", 2*queuesOfTopic
	}
	require.Equal(c.t, homes, away, "%s: homes on the target", c.name)
	require.Equal(c.t, side, state.Authority, c.name)
	for _, g := range state.Groups {
		reads := g.Target
		if goal == goalDone {
			reads = g.Source
		}
		if slices.Contains(c.groups(), g.Group) {
			require.Zero(c.t, reads, "%s: queues that group %s reads elsewhere than on the %s", c.name, g.Group, side)
		}
	}
}
