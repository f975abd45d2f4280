package findings

// Topics and their messages.
const (
	TopicName         ID = "topic-name"
	TopicNotSampled   ID = "topic-not-sampled"
	TopicsSampledLess ID = "topics-sampled-less"
	EmptyBody         ID = "empty-body"
	TopicUnreadable   ID = "topic-unreadable"
	QueuesUnreadable  ID = "queues-unreadable"
	QueuesHidden      ID = "queues-hidden"
	QueuesUnlike      ID = "queues-unlike"
	QueuesElsewhere   ID = "queues-elsewhere"
	OrderConfig       ID = "order-config"
	RouteDiffers      ID = "route-differs"
)

func topicEntries() []Entry {
	return []Entry{
		{
			TopicName, refusal, "5.x doesn't take the topic's name",
			"the topic can't be made there: 5.x has other limits of length, characters and reserved names",
			"give it another name there (target.rename.topics), or exclude it",
		},
		{
			TopicNotSampled, warning, "a topic can't be looked into",
			"its type is taken for NORMAL, and a 5.x proxy refuses messages of another type",
			"name its type in topics.types if it isn't NORMAL",
		},
		{
			TopicsSampledLess, advice, "with thousands of topics, small ones are looked into less",
			"their type is told by few messages, and a 5.x proxy refuses messages of another type",
			"name the types of those that matter in topics.types, or assess fewer topics at a time (topics.include)",
		},
		{
			EmptyBody, warning, "messages without a body",
			"gRPC consumers of 5.x fail on them and get nothing more of the queue; stock 4.x push consumers stop for good",
			"keep the consumers on the 4.x remoting SDK or skip such messages, and mend who sends them",
		},
		{
			TopicUnreadable, refusal, "a topic can't be read",
			"nobody can copy it", "give it read permission on the source, or exclude it",
		},
		{
			QueuesUnreadable, refusal, "producers write to queues that nobody reads",
			"what is in them is read by nobody, lanes neither: it would be lost",
			"give the topic as many queues to read from, or exclude it",
		},
		{
			QueuesHidden, warning, "producers don't see all queues of a topic",
			"the topic is being shrunk or its broker taken out: the target shows the same, and keeps the state",
			"nothing, or end that on the source first",
		},
		{
			QueuesUnlike, refusalOrWarning, "the target can't show producers the same queues",
			"keys of ordered topics would go to other queues there",
			"end the change of queues on the source first, or give the target more brokers",
		},
		{
			QueuesElsewhere, refusalOrWarning, "clients see a topic's queues on brokers that aren't looked at",
			"what producers write there is read by nobody once consumers have moved",
			"delete the topic in one of both clusters, exclude it, or name the broker in source.leftOut",
		},
		{
			OrderConfig, refusalOrWarning, "name servers have an order configuration for the topic",
			"producers choose among the queues that it names, and the target has none: keys go to other queues",
			"delete it from the source's name servers (mqadmin updateOrderConf -m delete), or exclude the topic",
		},
		{
			RouteDiffers, refusalOrWarning, "name servers show other queues than the broker has",
			"the target is made like the broker, so clients see something else there",
			"end taking the broker out (mqadmin addWritePerm); then assess again",
		},
	}
}
