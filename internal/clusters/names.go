package clusters

import (
	"slices"
	"strings"

	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator/replica"
)

// CanaryPrefix starts the names of these topics. They are in no plan's selection.
const CanaryPrefix = ownPrefix + "canary-"

// CanaryTopic is the topic of the plan's migration through which lanes are proved.
func CanaryTopic(p plan.Plan) string { return CanaryPrefix + p.Name }

func isCanary(topic string) bool { return strings.HasPrefix(topic, CanaryPrefix) }

// Renames are what the target calls topics and groups; the lanes' own groups have the same names
// everywhere.
func Renames(t plan.Target) rocketmq.Renames {
	if t.Rename == nil {
		return rocketmq.Renames{}
	}
	return rocketmq.Renames{Prefix: t.Rename.Prefix, Topics: t.Rename.Topics, Groups: t.Rename.Groups, Keep: ownPrefix}
}

// LaneNames are what the lanes of the plan go by.
func LaneNames(p plan.Plan) replica.Names {
	return replica.Names{Group: p.LaneGroup(), Source: p.SourceID(), Target: p.TargetID()}
}

// GroupOf is the group whose own topic it is, if it is one.
func GroupOf(topic string) (group string, own bool) {
	if group, own = rocketmq.RetryGroup(topic); !own {
		group, own = strings.CutPrefix(topic, rocketmq.DLQTopic(""))
	}
	return group, own
}

// OfLanes reports whether lanes of the plan copy topics of that name.
func OfLanes(p plan.Plan, topic string, brokers []rocketmq.Broker) bool {
	if group, own := GroupOf(topic); own {
		return !SystemGroup(group) && p.Groups.Match(group)
	}
	return topic == CanaryTopic(p) || !SystemTopic(topic, brokers) && p.Topics.Match(topic)
}

// ownPrefix starts the names of all groups that are rocketshift's own: lane groups of this
// migration and of others.
const ownPrefix = "rocketshift-"

// SystemTopic reports whether a topic is the brokers' own, rocketshift's, or one of a group: plans
// select none of these.
func SystemTopic(name string, brokers []rocketmq.Broker) bool {
	if isCanary(name) || strings.HasPrefix(name, rocketmq.RetryTopic("")) ||
		strings.HasPrefix(name, rocketmq.DLQTopic("")) {
		return true
	}
	var names []string
	for _, b := range brokers {
		names = append(names, b.Name)
	}
	return slices.ContainsFunc(brokers,
		func(b rocketmq.Broker) bool { return rocketmq.SystemTopic(name, b.Cluster, names) })
}

// SystemGroup reports whether a group is the brokers' own or rocketshift's.
func SystemGroup(name string) bool {
	return rocketmq.SystemGroup(name) || strings.HasPrefix(name, ownPrefix)
}
