package findings

import "rocketshift/api"

// Groups and their members.
const (
	GroupName           ID = "group-name"
	GroupBroadcasts     ID = "group-broadcasts"
	GroupClosed         ID = "group-closed"
	OrderUntold         ID = "order-untold"
	GroupMixesOrder     ID = "group-mixes-order"
	SubscriptionsDiffer ID = "subscriptions-differ"
	FromTimestamp       ID = "from-timestamp"
	QueuesUneven        ID = "queues-uneven"
)

func groupEntries() []Entry {
	return []Entry{
		{
			GroupName, refusal, "5.x doesn't take the group's name",
			"the group can't be made there: 5.x has other limits of length, characters and reserved names",
			"give it another name there (target.rename.groups), or exclude it",
		},
		{
			GroupBroadcasts, warning, "a group broadcasts",
			"its positions lie in files of its instances, by broker names: they start anew on the target",
			"plan for repeated or skipped messages, or let them start where it harms least (consumeFromWhere)",
		},
		{
			GroupClosed, warning, "a group is closed on the source (consumeEnable=false)",
			"it is made open on the target", "nothing, if its shift is under way; else exclude it",
		},
		{
			OrderUntold, warning, "no member of a group says whether it consumes in order",
			"the topic would be moved as an unordered one, and queues may be read out of order for a while",
			"list its topics in topics.ordered if they are to be read in order",
		},
		{
			GroupMixesOrder,
			[]api.Severity{api.SeverityWarning, api.SeverityRefusal},
			"members of one group read in order, others don't",
			"on 5.x order belongs to the group: half of the members would be served otherwise, and messages that come again " +
				"go other ways",
			"give the concurrent members, or the orderly ones, a group of their own",
		},
		{
			SubscriptionsDiffer, warning, "members of one group ask for different things",
			"brokers keep one subscription of a group, the last that was said: messages are skipped, now and on 5.x",
			"let all members of a group ask for the same, or give them groups of their own",
		},
		{
			FromTimestamp, warning, "members start by a time where they have no position",
			"managed 5.x instances ignore that setting of 4.x SDKs (third-party reports): a new group starts elsewhere",
			"nothing for groups that move, as their positions are written first; for new ones reset the position once",
		},
		{
			QueuesUneven,
			[]api.Severity{api.SeverityAdvice, api.SeverityWarning},
			"a group's members don't get equal shares of a topic's queues",
			"each queue has one member at a time: with fewer queues than members some have nothing to do, with a few more " +
				"some have twice the work. The target has as many queues, unless it has the topic already",
			"run as many members as divide the queues, or give the topic more queues on the source before its metadata is " +
				"imported",
		},
	}
}
