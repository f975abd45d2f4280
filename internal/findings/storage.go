package findings

// Disks, retention, and what nobody uses.
const (
	DiskFull        ID = "disk-full"
	TargetDiskSmall ID = "target-disk-small"
	LagAtRisk       ID = "lag-at-risk"
	QueuesLeft      ID = "queues-left"
	GroupUnused     ID = "group-unused"
	GroupAbandoned  ID = "group-abandoned"
	TopicUnused     ID = "topic-unused"
)

func storageEntries() []Entry {
	return []Entry{
		{
			DiskFull, refusalOrWarning, "a broker's disk is nearly full",
			"brokers delete messages before their time, read and copied or not, and refuse sends from 90 % on",
			"free space or add disk on it before Replicate, so that nothing is deleted before it is copied",
		},
		{
			TargetDiskSmall, warning, "the target's disks are smaller than what the source holds",
			"copies are deleted on the target before their time, or sends are refused there",
			"give the target larger disks or more brokers, or migrate fewer topics at a time",
		},
		{
			LagAtRisk, warning, "a group loses messages that it hasn't read in time",
			"what is deleted on the source before it is read or copied is on neither side afterwards",
			"let the group catch up, or raise fileReservedTime on the source (mqadmin updateBrokerConfig) until it has",
		},
		{
			QueuesLeft, warning, "queues that a topic had once still hold messages",
			"clients don't see them and lanes don't copy them: they stay behind",
			"give the topic as many queues as before to read from until they are read, or let them go",
		},
		{
			GroupUnused, advice, "groups that nobody uses",
			"they are made on the target for nobody", "exclude them (groups.exclude), or delete them on the source",
		},
		{
			GroupAbandoned, warning, "groups without members that have read nothing for longer than messages are kept",
			"if their applications return, they begin with the oldest message that is left on either side",
			"exclude them (groups.exclude) if their applications are gone",
		},
		{
			TopicUnused, advice, "topics that nobody uses",
			"they are made on the target for nobody", "exclude them (topics.exclude), or delete them on the source",
		},
	}
}
