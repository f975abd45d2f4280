package findings

// Clusters and brokers.
const (
	SeveralClusters     ID = "several-clusters"
	NameServerSilent    ID = "name-server-silent"
	NameServerEmpty     ID = "name-server-empty"
	NameServersDisagree ID = "name-servers-disagree"
	BrokerWithoutMaster ID = "broker-without-master"
	SlaveMute           ID = "slave-mute"
	BrokerFromSlave     ID = "broker-from-slave"
	SlaveLacksTopic     ID = "slave-lacks-topic"
	BrokerLeftOut       ID = "broker-left-out"
	SourceVersion       ID = "source-version"
	SelfReplication     ID = "self-replication"
	LaneGroupInUse      ID = "lane-group-in-use"
)

func clusterEntries() []Entry {
	return []Entry{
		{
			SeveralClusters, refusal, "name servers know several clusters",
			"which brokers are meant isn't known: what is left out would stay behind without a word",
			"name the one that is meant in source.cluster or target.cluster",
		},
		{
			NameServerSilent, refusal, "a name server doesn't answer",
			"it may know brokers that the others don't, and clients that ask it see something else",
			"start it, or take it out of the list if nobody uses it",
		},
		{
			NameServerEmpty, refusal, "a name server knows no broker",
			"clients that ask it find nothing", "look at the brokers' namesrvAddr, or take it out of the list",
		},
		{
			NameServersDisagree, refusal, "name servers don't know the same brokers",
			"clients of one of them miss queues, and so would the copy",
			"let each broker register with all name servers (namesrvAddr)",
		},
		{
			BrokerWithoutMaster, refusal, "only slaves of a broker are registered",
			"nothing can be written to it, and what the master had and hadn't passed on isn't seen",
			"start its master, or name it in source.readSlaves or source.leftOut",
		},
		{
			SlaveMute, refusal, "a slave that must be read serves no pulls",
			"its messages can't be copied", "set slaveReadEnable=true on it, which needs no new start",
		},
		{
			BrokerFromSlave, warning, "a broker is read from its slave",
			"nothing moves while a master is away, and what it hadn't passed on isn't seen",
			"start its master before the first step of Shift",
		},
		{
			SlaveLacksTopic, refusal, "a slave doesn't know a topic whole",
			"what is in its queues would be copied by nobody", "start the master; then assess again",
		},
		{
			BrokerLeftOut, warning, "the plan leaves a broker out",
			"its queues, messages and positions stay behind",
			"move by hand what is on it, or take it out of source.leftOut",
		},
		{
			SourceVersion, refusal, "the source isn't a 4.x cluster, or doesn't say what it is",
			"rocketshift knows how 4.x brokers answer, and judges by their version",
			"name a 4.x cluster in source.nameServers; if it is one, assess again when it is up",
		},
		{
			SelfReplication, refusal, "source and target are the same brokers",
			"each message would be copied onto itself, again and again",
			"name two different clusters in source.nameServers and target.nameServers",
		},
		{
			LaneGroupInUse, refusal, "an application uses the lanes' consumer group",
			"lanes keep their progress there: both would skip messages", "choose another name for the plan",
		},
	}
}
