package metadata

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

// Where the target has an object otherwise than wanted, the plan decides: it is refused, it stays
// as it is, or it gets the wanted settings. What would harm somebody is refused all the same, and
// says why.

// decideTopic takes the plan's decision on a topic that differs.
func (o *Chunk) decideTopic(ctx context.Context, name string, found api.Finding) error {
	switch o.Plan.Metadata.TopicDecision(name) {
	case plan.DecisionKeep:
		o.keepTopic(name, found)
	case plan.DecisionChange:
		return o.changeTopic(ctx, name, found)
	default:
		o.Conflicts = append(o.Conflicts, found)
	}
	return nil
}

// keepTopic leaves a topic as it is, if lanes can pair with its queues and copy into them.
func (o *Chunk) keepTopic(name string, found api.Finding) {
	table := clusters.TopicTable{name: o.sourceTopics[name]}
	_, err := lane.Pair(name, table.Queues(name), o.haveTopics.Queues(name))
	if err != nil {
		o.Conflicts = append(o.Conflicts, cannot(found, "kept", fmt.Sprintf("lanes pair queues one to one: %v", err)))
		return
	}
	for _, broker := range clusters.SortedKeys(o.haveTopics[name]) {
		if perm := o.haveTopics[name][broker].Perm; perm&rocketmq.PermRead == 0 {
			o.Conflicts = append(o.Conflicts, cannot(found, "kept",
				fmt.Sprintf("nobody can read it on %s (permission %d)", broker, perm)))
			return
		}
	}
	o.Kept = append(o.Kept, asDecided(found, "kept"))
}

// changeTopic gives a topic the wanted settings on the brokers that have it otherwise, and makes it
// on those that lack it.
func (o *Chunk) changeTopic(ctx context.Context, name string, found api.Finding) error {
	changed := map[string]rocketmq.TopicConfig{}
	var missing []string
	for broker := range o.haveTopics[name] {
		if _, wanted := o.wantTopics[name][broker]; !wanted {
			o.Conflicts = append(o.Conflicts, cannot(found, "changed",
				"rocketshift deletes nothing: delete it on "+broker+" if nobody needs it there"))
			return nil
		}
	}
	for _, broker := range clusters.SortedKeys(o.wantTopics[name]) {
		want := o.wantTopics[name][broker]
		have, there := o.haveTopics[name][broker]
		if !there {
			missing = append(missing, broker)
			continue
		}
		if topicDifference(want, have) == "" {
			continue
		}
		why, err := o.unsafe(ctx, broker, want, have)
		if err != nil {
			return err
		}
		if why != "" {
			o.Conflicts = append(o.Conflicts, cannot(found, "changed", why))
			return nil
		}
		want.Perm |= have.Perm // ordered topics are wanted closed, and open as their producers move
		changed[broker] = typed(want)
	}
	o.ChangedTopics[name] = changed
	if len(missing) > 0 {
		o.MissingTopics[name] = missing
	}
	o.Changes = append(o.Changes, asDecided(found, "changed"))
	return nil
}

// typed names the type even if it is NORMAL: brokers change attributes, and remove none.
func typed(want rocketmq.TopicConfig) rocketmq.TopicConfig {
	want.Attributes = maps.Clone(want.Attributes)
	want.Attributes[rocketmq.TypeAttribute] = string(MessageType(want))
	return want
}

// unsafe says why a topic of a broker can't get the wanted settings; "" if it can.
func (o *Chunk) unsafe(
	ctx context.Context, broker string, want, have rocketmq.TopicConfig,
) (string, error) {
	if want.ReadQueues < have.ReadQueues || want.WriteQueues < have.WriteQueues {
		return fmt.Sprintf("it has more queues on %s, whose messages nobody would see", broker), nil
	}
	for _, name := range []string{"queue.type", "cleanup.policy"} {
		if value := want.Attributes[name]; value != "" && value != have.Attributes[name] {
			return fmt.Sprintf("brokers never change the attribute %s, which is %q on %s", name,
				have.Attributes[name], broker), nil
		}
	}
	if MessageType(want) == MessageType(have) {
		return "", nil
	}
	if MessageType(want) == plan.TypeMixed && !o.acceptsMixedTopics {
		return "the target's brokers don't accept type MIXED: set enableMixedMessageType=true on them", nil
	}
	ranges, err := o.Target.Client().Ranges(ctx, o.addr[broker], have.Name, have.Queues())
	if err != nil {
		return "", o.Target.Explain(ctx, err)
	}
	for _, span := range ranges {
		if span.Max > span.Min {
			return fmt.Sprintf("messages of type %s lie in it on %s: its consumers and the proxy judge "+
				"messages by the topic's type", MessageType(have), broker), nil
		}
	}
	return "", nil
}

// decideGroup takes the plan's decision on a group that differs.
func (o *Chunk) decideGroup(name string, found api.Finding) {
	switch o.Plan.Metadata.GroupDecision(name) {
	case plan.DecisionKeep:
		o.Kept = append(o.Kept, asDecided(found, "kept"))
	case plan.DecisionChange:
		o.changeGroup(name)
		o.Changes = append(o.Changes, asDecided(found, "changed"))
	default:
		o.Conflicts = append(o.Conflicts, found)
	}
}

// changeGroup gives a group the wanted settings. It stays open or closed as it is.
func (o *Chunk) changeGroup(name string) {
	changed := map[string]rocketmq.Group{}
	for _, broker := range clusters.SortedKeys(o.addr) {
		have, there := o.haveGroups[name][broker]
		switch {
		case !there:
			o.MissingGroups[name] = append(o.MissingGroups[name], broker)
		case groupDifference(o.wantGroups[name], have) != "":
			changed[broker] = o.wantGroups[name].Over(have)
		}
	}
	o.ChangedGroups[name] = changed
}

// asDecided says what becomes of an object that differs.
func asDecided(found api.Finding, decision string) api.Finding {
	return findings.ID(found.ID).Warning(found.Object, "nothing: the plan's metadata decides so",
		"%s: it is %s", found.Cause, decision)
}

// cannot says why a decision of the plan isn't done.
func cannot(found api.Finding, decision, why string) api.Finding {
	found.Cause += fmt.Sprintf(", and can't be %s: %s", decision, why)
	found.Next = strings.Replace(found.Next, decided, "", 1)
	return found
}

// decided ends what is to be done about a conflict.
const decided = ", or decide in the plan (metadata): keep or change"

func conflictFinding(is findings.ID, object, cause string) *api.Finding {
	found := is.Refusal(object, "delete or change it on the target, or exclude it from the plan"+decided, "%s", cause)
	return &found
}
