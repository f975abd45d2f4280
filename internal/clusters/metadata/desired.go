package metadata

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator/replica"
)

// desiredTopic is the configuration that the topic should have on each target broker: lanes are
// then in the same place for clients of either side. An ordered topic is made read-only: producers
// find no queue there before the lanes have drained. One that can't be made so is a conflict if it
// is ordered; else producers choose among all of its queues, whose order means nothing to them, and
// Assess has said so.
func desiredTopic(
	name string, source map[string]rocketmq.TopicConfig, kind plan.MessageType, ordered bool, targetBrokers []string,
) (map[string]rocketmq.TopicConfig, *api.Finding) {
	if found := Unreadable(name, source); len(found) > 0 {
		return nil, &found[0]
	}
	shares, found := sharesOf(name, source, ordered, targetBrokers)
	if found != nil {
		return nil, found
	}
	model := source[clusters.SortedKeys(source)[0]]
	model.Name, model.Perm = name, rocketmq.PermRead|rocketmq.PermWrite
	if ordered {
		model.Perm = rocketmq.PermRead
	}
	model.Attributes = withType(model.Attributes, kind)
	want := map[string]rocketmq.TopicConfig{}
	for broker, share := range shares {
		config := model
		config.ReadQueues, config.WriteQueues = share.Queues, share.Writable
		want[broker] = config
	}
	return want, nil
}

// withType are a topic's attributes, which 4.x has none of, with its message type.
func withType(attributes map[string]string, kind plan.MessageType) map[string]string {
	kind = cmp.Or(kind, plan.MessageType(attributes[rocketmq.TypeAttribute]))
	all := map[string]string{}
	maps.Copy(all, attributes)
	delete(all, rocketmq.TypeAttribute)
	if kind != "" && kind != plan.TypeNormal {
		all[rocketmq.TypeAttribute] = string(kind)
	}
	return all
}

// sharesOf are the queues of each target broker.
func sharesOf(
	name string, source map[string]rocketmq.TopicConfig, ordered bool, brokers []string,
) (map[string]replica.Share, *api.Finding) {
	places := replica.Writable(source)
	shares, alike := replica.Spread(places, brokers)
	if alike {
		return shares, nil
	}
	if ordered {
		found := Unlike(name, source, ordered, len(brokers))
		return nil, &found
	}
	for i := range places {
		places[i] = true
	}
	shares, _ = replica.Spread(places, brokers)
	return shares, nil
}

// missingTopic lists the brokers that lack the topic, or says in what an existing one differs.
// Write permission of an ordered topic isn't compared: it opens and closes as producers move.
func missingTopic(name string, want, have map[string]rocketmq.TopicConfig) ([]string, *api.Finding) {
	for _, broker := range clusters.SortedKeys(have) {
		if _, wanted := want[broker]; !wanted {
			return nil, conflictFinding(findings.TopicExistsOtherwise, "topic "+name,
				fmt.Sprintf("exists on target broker %s, where the source's queue count leaves none for it", broker))
		}
	}
	var missing []string
	for _, broker := range clusters.SortedKeys(want) {
		found, there := have[broker]
		if !there {
			missing = append(missing, broker)
			continue
		}
		if difference := topicDifference(want[broker], found); difference != "" {
			return nil, conflictFinding(findings.TopicExistsOtherwise, "topic "+name,
				fmt.Sprintf("exists on target broker %s with %s", broker, difference))
		}
	}
	return missing, nil
}

func topicDifference(want, have rocketmq.TopicConfig) string {
	switch {
	case have.ReadQueues != want.ReadQueues || have.WriteQueues != want.WriteQueues:
		return fmt.Sprintf("%d read and %d write queues, wanted are %d and %d", have.ReadQueues,
			have.WriteQueues, want.ReadQueues, want.WriteQueues)
	case MessageType(have) != MessageType(want):
		return fmt.Sprintf("message type %s, wanted is %s", MessageType(have), MessageType(want))
	case have.Perm&rocketmq.PermRead == 0:
		return fmt.Sprintf("permission %d, which doesn't allow reading", have.Perm)
	case have.Perm&rocketmq.PermWrite < want.Perm&rocketmq.PermWrite: // an ordered topic is wanted closed, and opens as producers move
		return fmt.Sprintf("permission %d, so that producers see no queue", have.Perm)
	case have.SysFlag != want.SysFlag:
		return fmt.Sprintf("system flag %d, wanted is %d", have.SysFlag, want.SysFlag)
	}
	for _, name := range clusters.SortedKeys(want.Attributes) {
		if name != rocketmq.TypeAttribute && have.Attributes[name] != want.Attributes[name] {
			return fmt.Sprintf("attribute %s=%q, wanted is %q", name, have.Attributes[name], want.Attributes[name])
		}
	}
	return ""
}

// MessageType is the type that a topic of the target has.
func MessageType(config rocketmq.TopicConfig) plan.MessageType {
	if kind := config.Attributes[rocketmq.TypeAttribute]; kind != "" {
		return plan.MessageType(kind)
	}
	return plan.TypeNormal
}

// desiredGroup is the group as it should be on every target broker: all its settings, and closed,
// so that nobody reads there before the positions are written.
func desiredGroup(source map[string]rocketmq.Group) rocketmq.Group {
	group := source[clusters.SortedKeys(source)[0]]
	group.ConsumeEnable = false
	return group
}

// missingGroup lists the brokers that lack the group, or says in what an existing one differs.
// Whether it is open isn't compared: groups open as they move.
func missingGroup(
	name string,
	want rocketmq.Group,
	have map[string]rocketmq.Group,
	targetBrokers []string,
) ([]string, *api.Finding) {
	var missing []string
	for _, broker := range targetBrokers {
		found, there := have[broker]
		if !there {
			missing = append(missing, broker)
			continue
		}
		if difference := groupDifference(want, found); difference != "" {
			return nil, conflictFinding(findings.GroupExistsOtherwise, "group "+name,
				fmt.Sprintf("exists on target broker %s with %s", broker, difference))
		}
	}
	return missing, nil
}

// groupDifference says in which setting a group differs: all that the wanted one has, whatever
// their release, but its name, whether it is open, and the broker that has it.
func groupDifference(want, have rocketmq.Group) string {
	wanted, there := want.Settings(), have.Settings()
	for _, name := range clusters.SortedKeys(wanted) {
		if slices.Contains(notCompared, name) || emptySetting(wanted[name]) && emptySetting(there[name]) {
			continue
		}
		if !reflect.DeepEqual(plainJSON(wanted[name]), plainJSON(there[name])) {
			return fmt.Sprintf("%s=%v, wanted is %v", name, told(there[name]), told(wanted[name]))
		}
	}
	return ""
}

// notCompared are a group's settings that say nothing of how it consumes, or change as it moves.
var notCompared = []string{"groupName", "consumeEnable", "brokerId"}

// emptySetting reports whether a setting is as if it weren't there.
func emptySetting(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// plainJSON is a setting as JSON has it, so that numbers of any kind compare.
func plainJSON(v any) (plain any) {
	b, err := json.Marshal(v)
	if err != nil || json.Unmarshal(b, &plain) != nil {
		return v
	}
	return plain
}

func told(v any) any {
	if v == nil {
		return "absent"
	}
	return plainJSON(v)
}
