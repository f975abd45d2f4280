package findings

// The target.
const (
	TargetVersion        ID = "target-version"
	TargetLeftovers      ID = "target-leftovers"
	TargetElsewhere      ID = "target-elsewhere"
	TargetBrokerClosed   ID = "target-broker-closed"
	TopicExistsOtherwise ID = "topic-exists-otherwise"
	GroupExistsOtherwise ID = "group-exists-otherwise"
	MixedRefused         ID = "mixed-refused"
	KeyExistsOtherwise   ID = "key-exists-otherwise"
	OrderNotCarried      ID = "order-not-carried"
	TargetQuotas         ID = "target-quotas"
)

func targetEntries() []Entry {
	return []Entry{
		{
			TargetVersion, refusal, "the target isn't a 5.x cluster",
			"rocketshift migrates to 5.x", "name a 5.x cluster in target.nameServers",
		},
		{
			TargetLeftovers, refusal, "an earlier run left something on the target",
			"copies lie in queues of other lanes: consumers would see messages twice or never",
			"delete the topic there, as the finding says, and assess again",
		},
		{
			TargetElsewhere, refusal, "a topic of that name is in another cluster of the target's name servers",
			"clients of the target see its queues, too: keys go to other queues",
			"give it another name there (target.rename.topics), or delete it there",
		},
		{
			TargetBrokerClosed, refusal, "a broker of the target isn't open for reading and writing",
			"name servers show clients less than its topics' permissions", "set brokerPermission=6 on it",
		},
		{
			TopicExistsOtherwise, refusalOrWarning, "the topic exists on the target, and is otherwise",
			"lanes pair queues one to one, and producers would see something else",
			"delete or change it on the target, exclude it, or decide in the plan (metadata): keep or change",
		},
		{
			GroupExistsOtherwise, refusalOrWarning, "the group exists on the target, and is otherwise",
			"its members would be served otherwise than on the source",
			"delete or change it on the target, exclude it, or decide in the plan (metadata): keep or change",
		},
		{
			MixedRefused, refusal, "the target's brokers take no topics of type MIXED",
			"the topic holds messages of several types, and a proxy refuses all but one",
			"set enableMixedMessageType=true on the target's brokers, or choose a type in topics.types",
		},
		{
			KeyExistsOtherwise, refusalOrWarning, "the target's name servers have another value of a key",
			"an order configuration says which queues producers see",
			"correct it on the target's name servers, or decide in the plan (metadata): keep or change",
		},
		{
			OrderNotCarried, warning, "an order configuration can't be written for the target's queues",
			"where name servers show it, producers would see other queues than on the source",
			"write it on the target's name servers yourself, if they show it",
		},
		{
			TargetQuotas, advice, "a managed target's quotas aren't told",
			"instances bound topics, groups, connections and messages per second by what was bought; topics and groups above " +
				"the bound aren't made, sends above it are refused. Brokers of RocketMQ itself bound none of them",
			"compare with the instance's specification and quotas in its console; the size that is recommended has the rates",
		},
	}
}
