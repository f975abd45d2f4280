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
			TopicExistsOtherwise, refusal, "the topic exists on the target, and is otherwise",
			"lanes pair queues one to one, and producers would see something else",
			"delete or change it on the target, or exclude it; rocketshift never overwrites it",
		},
		{
			GroupExistsOtherwise, refusal, "the group exists on the target, and is otherwise",
			"its members would be served otherwise than on the source",
			"delete or change it on the target, or exclude it; rocketshift never overwrites it",
		},
		{
			MixedRefused, refusal, "the target's brokers take no topics of type MIXED",
			"the topic holds messages of several types, and a proxy refuses all but one",
			"set enableMixedMessageType=true on the target's brokers, or choose a type in topics.types",
		},
	}
}
