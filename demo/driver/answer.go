package driver

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rocketshift/api"
	"rocketshift/plan"
)

// pipeline is the name under which the demo's release pipeline speaks.
const pipeline = "demo-pipeline"

// heldByPerson reports whether somebody held the migration who will resume it.
func heldByPerson(asked api.Waiting) bool {
	by, held := strings.CutPrefix(asked.Text, "held by ")
	return held && !strings.HasPrefix(by, "rocketshift:")
}

// answer gives what the migration waits for, once.
func (w *watcher) answer(ctx context.Context, s api.Status, asked api.Waiting) error {
	question := fmt.Sprintf("%s %s %v %v %s %s", asked.Kind, asked.Gate, asked.Groups, asked.Topics, asked.To,
		asked.Since.Format(time.RFC3339Nano))
	if w.answered[question] {
		return nil
	}
	w.answered[question] = true
	switch {
	case asked.Kind == api.WaitingApproval:
		return w.approve(ctx, asked)
	case asked.Kind == api.WaitingRelease:
		return w.release(ctx, asked)
	case asked.Gate == api.ResumeName && heldByPerson(asked):
		w.console.say("%s; it goes on by: %s", asked.Text, api.NextCommand(s, asked))
		return nil
	case asked.Gate == api.ResumeName:
		return fmt.Errorf("the migration stopped and waits for a person: %s", asked.Text)
	}
	w.console.say("waiting: %s", asked.Text)
	return nil
}

// approve approves a gate, or tells the person at the terminal how to.
func (w *watcher) approve(ctx context.Context, asked api.Waiting) error {
	if w.o.Approve == ApproveMe {
		w.console.say("your approval of %s is asked for: %s", asked.Gate, asked.Text)
		w.console.say("  look:    %s/namespaces/default/workflows/%s", w.temporal.UIAddress, plan.WorkflowID(w.o.Name))
		w.console.say("  approve: TEMPORAL_ADDRESS=%s %s approve %s %s --by YOU --reason WHY",
			w.temporal.Address, w.bin("rocketshift"), w.o.Name, asked.Gate)
		return nil
	}
	w.console.say("approving %s: %s", asked.Gate, asked.Text)
	return w.rocketshift(ctx, "approve", w.o.Name, asked.Gate, "--by", "demo", "--reason",
		"the demo approves what it is asked for")
}

// release is the release pipeline: it restarts the named applications with the name servers that
// the migration tells, and says so when they are at work. The way back is the same.
func (w *watcher) release(ctx context.Context, asked api.Waiting) error {
	var what []string
	args := []string{"released", w.o.Name, "--by", pipeline}
	groups, inline := asked.Groups.Inline()
	topics, all := asked.Topics.Inline()
	if !inline || !all {
		return fmt.Errorf("release pipeline: %s: the demo's few names stand in documents", asked.Gate)
	}
	lags, err := w.tail.lag(groups)
	if err != nil {
		return err
	}
	for _, g := range groups {
		what, args = append(what, fmt.Sprintf("consumers of %s (%d messages behind)", g, lags[g])), append(args,
			"--group", g)
	}
	for _, t := range topics {
		what, args = append(what, "producers of "+t), append(args, "--topic", t)
	}
	begun := time.Now()
	deploy := w.fleet.deploy
	if w.byGateway() {
		deploy = w.rollOut
	}
	if w.demo.deploy != nil {
		deploy = w.demo.deploy
	}
	if err := deploy(ctx, groups, topics, asked.NameServers); err != nil {
		return fmt.Errorf("release pipeline: %w", err)
	}
	w.console.say("released to the %s in %.1f s: %s", asked.To, time.Since(begun).Seconds(), strings.Join(what, ", "))
	return w.rocketshift(ctx, args...)
}
