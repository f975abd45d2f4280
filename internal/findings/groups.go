package findings

// Groups and their members.
const (
	GroupName       ID = "group-name"
	GroupBroadcasts ID = "group-broadcasts"
	GroupClosed     ID = "group-closed"
	OrderUntold     ID = "order-untold"
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
	}
}
