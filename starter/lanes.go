package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/internal/printable"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
	"rocketshift/starter/page"
	"rocketshift/starter/remote"
)

// lanesView is what the lanes of a migration say, as their last heartbeats told.
type lanesView struct {
	WorkflowID string               `json:"workflowId"`
	MeasuredAt time.Time            `json:"measuredAt,omitzero"` // of the oldest heartbeat
	Topics     []lane.TopicProgress `json:"topics"`              // worst first, at most 50 of each shard
	// the same of the lanes back to the source, if there are any
	Back       []lane.TopicProgress `json:"back,omitempty"`
	Faults     []lane.Fault         `json:"faults,omitempty"`
	Stragglers []lane.Straggler     `json:"stragglers,omitempty"` // busiest first; of the side that is left now
	Waiting    []string             `json:"waiting,omitempty"`
	Unpaired   []string             `json:"unpaired,omitempty"`
	Lost       []string             `json:"lost,omitempty"` // of the workers' store, that lanes went by
	Rates      []api.RateChange     `json:"rates,omitempty"`
	Answers    []api.LaneAnswer     `json:"answers,omitempty"`
	Next       []string             `json:"next,omitempty"`
}

func (a *app) lanesCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "lanes NAME", Short: "Show how far copying is, by topic, worst first",
		Long: "Show how far the lanes are: by topic, those with faults first, then those that are furthest behind.\n" +
			"The numbers are those of the last heartbeats (replicate.heartbeat in the plan).",
		Args: oneName,
		RunE: func(c *cobra.Command, args []string) error {
			return a.withService(c.Context(), func(s remote.Service) error { return a.lanes(c.Context(), s, args[0]) })
		},
	}
	return c
}

func (a *app) lanes(ctx context.Context, s remote.Service, name string) error {
	snap, err := a.look(ctx, s, api.StageID(plan.Plan{Name: name}, api.ReplicateType))
	if errors.Is(err, remote.ErrNotFound) {
		return a.showNoLanes(ctx, s, name)
	}
	if err != nil {
		return err
	}
	v := lanesOf(name, snap)
	if a.json() {
		a.document(v)
		return nil
	}
	if !snap.Running {
		a.say("%s has ended (%s): no lane runs", snap.WorkflowID, snap.State)
		return nil
	}
	a.picture(a.lanesTable(v))
	return nil
}

// lanesOf adds up the heartbeats, one of each source broker.
func lanesOf(name string, s remote.Snapshot) lanesView {
	v := lanesView{
		WorkflowID: s.WorkflowID,
		MeasuredAt: s.MeasuredAt,
		Rates:      s.Rates,
		Answers:    s.Answers,
		Topics:     []lane.TopicProgress{},
	}
	for _, r := range s.Replication {
		v.Topics = addTopics(v.Topics, r.Topics)
		v.addTroubles(r.Progress)
		if r.Back != nil {
			v.Back = addTopics(v.Back, r.Back.Topics)
			v.addTroubles(*r.Back)
		}
		if r.Lost != "" && !slices.Contains(v.Lost, r.Lost) {
			v.Lost = append(v.Lost, r.Lost)
		}
		for _, u := range r.Unpaired {
			if !slices.Contains(v.Unpaired, u) {
				v.Unpaired = append(v.Unpaired, u)
			}
		}
	}
	lane.WorstFirst(v.Topics)
	lane.WorstFirst(v.Back)
	lane.BusiestFirst(v.Stragglers)
	for _, f := range v.Faults {
		v.Next = append(
			v.Next,
			fmt.Sprintf("rocketshift answer %s --topic '%s' --broker %s --queue %d%s --action %s --by YOU --reason WHY",
				name, f.Topic, f.Broker, f.Queue, sideOf(f), actionsFor(f, v.Back != nil)),
		)
	}
	return v
}

// sideOf is the flag that tells a reverse lane.
func sideOf(f lane.Fault) string {
	if f.Side == "" {
		return ""
	}
	return " --side " + string(f.Side)
}

// actionsFor are the answers that make sense for a fault: of a topic that was made anew, everything
// can be copied again.
func actionsFor(f lane.Fault, bothWays bool) string {
	if f.OfNewTopic(bothWays) {
		return "retry|restart"
	}
	return fmt.Sprintf("retry|skip --from %d --to %d", f.From, max(f.To, f.From+1))
}

// addTopics adds what another shard says of topics.
func addTopics(sums, topics []lane.TopicProgress) []lane.TopicProgress {
	for _, t := range topics {
		if i := slices.IndexFunc(sums, func(s lane.TopicProgress) bool { return s.Topic == t.Topic }); i >= 0 {
			sums[i] = sums[i].Plus(t)
		} else {
			sums = append(sums, t)
		}
	}
	return sums
}

func (v *lanesView) addTroubles(p lane.Progress) {
	v.Faults = append(v.Faults, p.Faults...)
	v.Stragglers = append(v.Stragglers, p.Stragglers...)
	if p.Waiting != "" {
		v.Waiting = append(v.Waiting, p.Waiting)
	}
}

// topicsTable shows the lanes of one direction.
func topicsTable(topics []lane.TopicProgress) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.AppendHeader(
		table.Row{"topic", "lanes", "caught up", "behind", "age", "msg/s", "caught up in", "copied", "faults", "why"},
	)
	var numbers []table.ColumnConfig
	for _, column := range []string{"lanes", "caught up", "behind", "age", "msg/s", "caught up in", "copied", "faults"} {
		numbers = append(numbers, table.ColumnConfig{Name: column, Align: text.AlignRight})
	}
	t.SetColumnConfigs(append(numbers, table.ColumnConfig{Name: "why", WidthMax: 60}))
	for _, topic := range topics {
		eta := "–"
		if left, known := topic.ETA(); known {
			eta = left.Round(time.Second).String()
		}
		t.AppendRow(table.Row{
			topic.Topic, topic.Lanes, topic.CaughtUp, printable.Grouped(topic.Lag),
			(time.Duration(topic.LagSeconds) * time.Second).String(), printable.Grouped(int64(topic.PerSecond)),
			eta, printable.Grouped(topic.Copied), topic.Faults, topic.Reason,
		})
	}
	return t.Render()
}

func (a *app) lanesTable(v lanesView) string {
	v = printable.All(v, printable.Text)
	var b strings.Builder
	if len(v.Topics) == 0 {
		b.WriteString("no heartbeat of the lanes yet\n")
	} else {
		fmt.Fprintf(&b, "%s\n", topicsTable(v.Topics))
		if len(v.Back) > 0 {
			fmt.Fprintf(&b, "back to the source:\n%s\n", topicsTable(v.Back))
		}
		fmt.Fprintf(&b, "as of %s%s\n", v.MeasuredAt.Local().Format(time.TimeOnly), a.page().Age(v.MeasuredAt))
	}
	for _, line := range v.Waiting {
		fmt.Fprintf(&b, "waiting: %s\n", line)
	}
	for _, line := range v.Unpaired {
		fmt.Fprintf(&b, "no lanes: %s\n", line)
	}
	for _, line := range v.Lost {
		fmt.Fprintf(&b, "lost: %s\n", line)
	}
	for _, s := range v.Stragglers {
		fmt.Fprintf(&b, "%s %s\n", a.page().Paint(page.Red, "straggler:"), s)
	}
	for _, f := range v.Faults {
		fmt.Fprintf(&b, "%s %s\n", a.page().Paint(page.Red, "fault:"), f.Error())
	}
	for _, n := range v.Next {
		fmt.Fprintf(&b, "next: %s\n", n)
	}
	return strings.TrimRight(b.String(), "\n")
}

// answerCommand tells Replicate what to do about a lane's fault.
func (a *app) answerCommand() *cobra.Command {
	var message api.LaneAnswer
	c := &cobra.Command{
		Use: "answer NAME --topic T --broker B --queue Q [--side target] --action retry|skip|restart " +
			"[--from N --to M] --by YOU [--reason WHY]",
		Short: "Answer the fault of a lane: try again, or give messages up",
		Long: "Answer the fault of a lane, as rocketshift lanes shows it. retry: the cause is gone. skip: " +
			"the messages from --from up to, not\n" +
			"including, --to are not copied. restart: the topic was deleted and made anew; the lane begins " +
			"at its first message, and what it\n" +
			"copied before belongs to the old topic. skip and restart need a reason, and the report keeps it.",
		Args: oneNameAnd(func() error { return message.Check() }),
		RunE: func(c *cobra.Command, args []string) error {
			return a.tellLanes(c.Context(), args[0], api.AnswerName, message.By, message.Reason, message)
		},
	}
	c.Flags().StringVar(&message.Topic, "topic", "", "topic of the lane; required")
	c.Flags().StringVar(&message.Broker, "broker", "", "broker of the queue that the lane reads; required")
	c.Flags().IntVar(&message.Queue, "queue", -1, "id of that queue; required")
	c.Flags().StringVar((*string)(&message.Side), "side", "", "target for a lane back to the source, which reads there")
	c.Flags().StringVar(&message.Action, "action", "", lane.Retry+", "+lane.Skip+" or "+lane.Restart+"; required")
	c.Flags().Int64Var(&message.From, "from", 0, "skip: first offset of that queue to give up")
	c.Flags().Int64Var(&message.To, "to", 0, "skip: offset behind the last one to give up")
	byFlags(c, &message.By, &message.Reason)
	return c
}

// rateCommand bounds what Replicate copies in a second.
func (a *app) rateCommand() *cobra.Command {
	var message api.RateChange
	c := &cobra.Command{
		Use: "rate NAME [--topic T] [--messages N] [--bytes N] --by YOU [--reason WHY]", Short: "Bound what " +
			"is copied in a second, of all topics or of one",
		Long: "Bound what the lanes copy in a second: all together, or those of one topic. 0, or leaving it " +
			"out, lifts a bound.",
		Args: oneNameAnd(func() error { return message.Check() }),
		RunE: func(c *cobra.Command, args []string) error {
			return a.tellLanes(c.Context(), args[0], api.SetRateName, message.By, message.Reason, message)
		},
	}
	c.Flags().StringVar(&message.Topic, "topic", "", "the topic; absent: all topics together")
	c.Flags().Float64Var(&message.Messages, "messages", 0, "messages a second")
	c.Flags().Float64Var(&message.Bytes, "bytes", 0, "bytes of bodies and properties a second")
	byFlags(c, &message.By, &message.Reason)
	return c
}

// oneNameAnd refuses anything but one migration's name and flags that pass the check.
func oneNameAnd(check func() error) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := oneName(c, args); err != nil {
			return err
		}
		if err := check(); err != nil {
			return failure.Usage("", "%w", err)
		}
		return nil
	}
}

func (a *app) tellLanes(ctx context.Context, migration, name, by, reason string, message any) error {
	id := api.StageID(plan.Plan{Name: migration}, api.ReplicateType)
	out := receipt{Approval: api.Approval{Gate: name, By: by, Reason: reason}, WorkflowID: id}
	return a.withService(ctx, func(s remote.Service) error {
		err := a.tell(ctx, s, id, name, message, out)
		if !errors.Is(err, remote.ErrNotFound) {
			return err
		}
		why, err := a.noLanes(ctx, s, migration)
		if err != nil {
			return err
		}
		return failure.Usage("nothing was changed", "%s", why)
	})
}
