package findings

// What the plan selects.
const (
	PlanMatchesNothing ID = "plan-matches-nothing"
	NothingSelected    ID = "nothing-selected"
	GroupNotSelected   ID = "group-not-selected"
	TopicNotSelected   ID = "topic-not-selected"
)

func planEntries() []Entry {
	return []Entry{
		{
			PlanMatchesNothing, refusal, "the plan names what isn't there, or gives two things one name",
			"a typing error would leave a topic or a group behind", "correct the name or leave it out",
		},
		{
			NothingSelected, refusal, "no topic is selected",
			"there is nothing to migrate", "include at least one topic in topics.include",
		},
		{
			GroupNotSelected, refusal, "a live group reads a selected topic, and isn't selected itself",
			"it would see nothing new once the producers have moved",
			"select the group in groups.include, or exclude the topic",
		},
		{
			TopicNotSelected, refusal, "a selected group reads a topic that isn't selected",
			"its applications move as a whole, so it would be cut off from that topic",
			"select the topic in topics.include, or exclude the group",
		},
	}
}
