package inventory

import (
	"cmp"
	"slices"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq"
)

// findings judges the inventory. Refusals come first.
func (inv *look) findings(targetBrokers []rocketmq.Broker) []api.Finding {
	var all []api.Finding
	all = append(all, inv.clusterFindings(targetBrokers)...)
	all = append(all, inv.nameFindings()...)
	for _, topic := range inv.topicNames() {
		all = append(all, inv.topicFindings(topic)...)
		all = append(all, inv.viewFindings(topic, len(targetBrokers))...)
		all = append(all, metadata.UnevenTopic(topic, inv.topics[topic], inv.at)...)
	}
	for _, group := range inv.groupNames() {
		all = append(all, inv.groupFindings(group)...)
		all = append(all, metadata.UnevenGroup(group, inv.groups[group], inv.at)...)
	}
	all = append(all, inv.samplingFindings()...)
	all = append(all, inv.silentFindings()...)
	all = append(all, inv.readerFindings()...)
	all = append(all, inv.vipFindings()...)
	if text := clusters.UntoldProducers(inv.untold); text != "" {
		all = append(
			all,
			findings.ProducersUntold.Warning("producers",
				"know yourself which applications write; the ledger has a row for each such broker", "%s",
				text),
		)
	}
	findings.First(all)
	return all
}

// major is the first digit of the broker's version, however it is written: V4_9_7 or 4.9.7.
func major(b rocketmq.Broker) byte {
	version := strings.TrimPrefix(b.Version, "V")
	if version == "" {
		return 0
	}
	return version[0]
}

// clusterFindings: the source must be a 4.x cluster, and another one than the target.
func (inv *look) clusterFindings(targetBrokers []rocketmq.Broker) []api.Finding {
	var all []api.Finding
	for _, t := range targetBrokers {
		if t.Version != "" && major(t) != '5' { // a proxy doesn't tell it, and there is none before 5.x
			all = append(
				all,
				findings.TargetVersion.Refusal("target broker "+t.Name, "name a 5.x cluster in target.nameServers",
					"runs version %s; rocketshift migrates to 5.x", t.Version),
			)
		}
	}
	for _, b := range inv.brokers {
		switch {
		case b.Version == "":
			all = append(all, findings.SourceVersion.Refusal("source broker "+b.Name, "assess again when it is up",
				"doesn't say which version it is"))
		case major(b) != '4':
			all = append(
				all,
				findings.SourceVersion.Refusal("source broker "+b.Name, "name a 4.x cluster in source.nameServers",
					"runs version %s; rocketshift migrates from 4.x", b.Version),
			)
		}
		for _, t := range targetBrokers {
			if t.Addr == b.Addr {
				all = append(
					all,
					findings.SelfReplication.Refusal("source broker "+b.Name,
						"name two different clusters in source.nameServers and target.nameServers",
						"is also the target's broker %s (%s): source and target are the same cluster", t.Name,
						t.Addr),
				)
			}
		}
	}
	if own := inv.online[inv.plan.LaneGroup()]; len(own.Members) > 0 {
		all = append(
			all,
			findings.LaneGroupInUse.Refusal("group "+inv.plan.LaneGroup(), "choose another name for the plan",
				"is used by an application (%s); the lanes need it", strings.Join(own.Addresses(), ", ")),
		)
	}
	return all
}

// nameFindings: everything that the plan names must exist, and something must be left to migrate.
func (inv *look) nameFindings() []api.Finding {
	var all []api.Finding
	topics := slices.DeleteFunc(clusters.SortedKeys(inv.topics),
		func(name string) bool { return clusters.SystemTopic(name, inv.brokers) })
	for _, problem := range inv.plan.Unmatched(topics, applicationGroups(inv.groups)) {
		all = append(
			all,
			findings.PlanMatchesNothing.Refusal(problem.Path, "correct the name or leave it out", "%s", problem.Text),
		)
	}
	if len(all) == 0 && len(inv.topicNames()) == 0 {
		all = append(
			all,
			findings.NothingSelected.Refusal(
				"topics.include",
				"include at least one topic",
				"no topic of the source is selected",
			),
		)
	}
	return all
}

func (inv *look) topicFindings(topic string) []api.Finding {
	var all []api.Finding
	object := "topic " + topic
	if !rocketmq.TakesTopic(inv.plan.Target.Topic(topic)) {
		all = append(
			all,
			findings.TopicName.Refusal(object, "give it another name there (target.rename.topics), or exclude it",
				"has a name that 5.x doesn't accept: up to %d letters, digits, %%, |, _ and -", rocketmq.LongestTopic),
		)
	}
	if err := inv.unsampled[topic]; err != nil {
		all = append(
			all,
			findings.TopicNotSampled.Warning(object, "name its type in topics.types."+topic+" if it isn't NORMAL",
				"can't be sampled: %v", err),
		)
	}
	if seen := inv.samples[topic]; seen.Empty > 0 {
		all = append(
			all,
			findings.EmptyBody.Warning(
				object,
				"have its consumers on the 4.x remoting SDK or skip such messages: gRPC consumers of the "+
					"target fail on them",
				"holds messages without a body (%d of %d sampled)",
				seen.Empty,
				seen.Looked,
			).With(inv.at, "%s", cmp.Or(seen.Noted.Empty, "its place isn't known")),
		)
	}
	return all
}

func (inv *look) groupFindings(group string) []api.Finding {
	var all []api.Finding
	object := "group " + group
	if !rocketmq.TakesGroup(inv.plan.Target.Group(group)) {
		all = append(
			all,
			findings.GroupName.Refusal(object, "give it another name there (target.rename.groups), or exclude it",
				"has a name that 5.x doesn't accept: up to %d letters, digits, %%, |, _ and -", rocketmq.LongestGroup),
		)
	}
	if inv.online[group].Broadcasting {
		all = append(
			all,
			findings.GroupBroadcasts.Warning(object,
				"its instances start on the target where their own settings say; plan for repeated or skipped messages",
				"broadcasts: its positions lie with its instances and can't be moved"),
		)
	}
	for _, broker := range clusters.SortedKeys(inv.groups[group]) {
		if !inv.groups[group][broker].ConsumeEnable {
			all = append(
				all,
				findings.GroupClosed.Warning(object,
					"nothing, if its shift is under way; else exclude it, or it will be open on the target",
					"is closed on source broker %s (consumeEnable=false)", broker),
			)
			break
		}
	}
	return all
}

// readerFindings: a group's applications are re-pointed as a whole, so a live group and its topics
// must be selected together.
func (inv *look) readerFindings() []api.Finding {
	var all []api.Finding
	for _, group := range clusters.SortedKeys(inv.online) {
		if len(inv.online[group].Members) == 0 || group == inv.plan.LaneGroup() { // which is refused as a whole
			continue
		}
		for _, topic := range clusters.SortedKeys(inv.online[group].Topics) {
			hasGroup, hasTopic := inv.selectsGroup(group), inv.selectsTopic(topic)
			switch {
			case clusters.SystemTopic(topic, inv.brokers) || hasGroup == hasTopic:
			case hasTopic:
				all = append(
					all,
					findings.GroupNotSelected.Refusal(
						"topic "+topic,
						"select the group in groups.include, or exclude the topic",
						"is read by the live group %s, which the plan doesn't select: it would see nothing new",
						group,
					),
				)
			case inv.topics[topic] != nil:
				all = append(
					all,
					findings.TopicNotSelected.Refusal(
						"group "+group,
						"select the topic in topics.include, or exclude the group",
						"also reads topic %s, which the plan doesn't select: it would be cut off from it",
						topic,
					),
				)
			}
		}
	}
	return all
}
