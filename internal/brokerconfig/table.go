package brokerconfig

// Table has the settings that are compared. What applications send comes first, then what they
// read, then how long and how safely it is kept.
var Table = []Setting{
	{
		Name: "maxMessageSize", Rule: AtLeast, Defaults: always("4194304"), Local: true,
		Why: "longer messages are refused: producers get an error, and lanes stop at such a " +
			"message",
	},
	{
		Name: "messageDelayLevel", Rule: SameTimes, Local: true,
		Defaults: always("1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h"),
		Why: "messages with a delay level, and those that consumers try again, come after " +
			"other times; a level that isn't there counts as the last one",
	},
	{
		Name: "rejectTransactionMessage", Rule: False, Defaults: always("false"), Local: true,
		Refuses: Transacting, Needs: "false",
		Why: "producers of transactions are refused",
	},
	{
		Name: "transactionTimeOut", Rule: AtLeast, Defaults: always("6000"), Local: true,
		Why: "producers are asked about a transaction (milliseconds after its message) while " +
			"it still runs",
	},
	{
		Name: "transactionCheckInterval", Rule: AtLeast, Local: true,
		Defaults: []Default{{"4.5", "60000"}, {"5.1.4", "30000"}},
		Why: "producers are asked more often (milliseconds between two checks), so an open " +
			"transaction is given up earlier, with its message: checks are counted, see " +
			"transactionCheckMax",
	},
	{
		Name: "transactionCheckMax", Rule: AtLeast, Defaults: always("15"), Local: true,
		Why: "an open transaction is given up after fewer checks, with its message",
	},
	{
		Name: "autoCreateTopicEnable", Rule: True, Defaults: always("true"), Local: true,
		Why: "sends to topics that nobody has made are refused",
	},
	{
		Name: "defaultTopicQueueNums", Rule: Same, Defaults: always("8"), Local: true,
		Why: "topics that brokers make by themselves may have another number of queues, so a " +
			"key goes to another queue",
	},
	{
		Name: "maxTopicLength", Rule: AtLeast, Absent: "127",
		Defaults: []Default{{"4.5", ""}, {"5.0.0", "1000"}, {"5.1.0", "127"}},
		Why:      "sends to topics with longer names are refused",
	},
	{
		Name: "brokerPermission", Rule: Allows, Defaults: always("6"), Refuses: Everybody,
		Why: "the broker refuses all sends (without 2) or all readers (without 4), and " +
			"nothing can be copied to it",
	},
	{
		Name: "aclEnable", Also: []string{"authenticationEnabled", "authorizationEnabled"}, Rule: False,
		Defaults: always("false"),
		Why:      "clients without access keys, as the source takes them, are refused",
	},
	{
		Name: "waitTimeMillsInSendQueue", Rule: AtLeast, Defaults: always("200"),
		Why: "under load, sends get the error «system busy» after a shorter time " +
			"(milliseconds)",
	},
	{
		Name: "waitTimeMillsInTransactionQueue", Rule: AtLeast, Defaults: always("3000"),
		Why: "under load, ends of transactions are dropped after a shorter time " +
			"(milliseconds), and wait for a check",
	},
	{
		Name: "osPageCacheBusyTimeOutMills", Rule: AtLeast, Defaults: always("1000"),
		Why: "under load, sends get the error «system busy» after a shorter stall of the " +
			"disk (milliseconds)",
	},
	{
		Name: "brokerFastFailureEnable", Rule: False, Defaults: always("true"), Local: true,
		Why: "under load, sends that wait get the error «system busy» instead of a late " +
			"answer",
	},
	{
		Name: "startAcceptSendRequestTimeStamp", Rule: AtMost, Defaults: always("0"),
		Why: "sends are refused until that time (milliseconds since 1970)",
	},
	{
		Name: "enableDLegerCommitLog", Rule: Batches, Defaults: always("false"),
		Why: "DLedger brokers of 4.5 to 4.7 refuse batches: applications that begin to send " +
			"them on the target can't go back, and lanes bring messages back one by one",
	},
	{
		Name: "storeReplyMessageEnable", Rule: True, Defaults: since("4.6.0", "true"), Local: true,
		Why: "replies to requests aren't stored: who reads them from the reply topic finds " +
			"none",
	},
	{
		Name: "enableLmq", Rule: True, Defaults: since("4.9.3", "false"), Absent: "false", Local: true,
		Why: "light queues, as MQTT uses them, can't be read",
	},
	{
		Name: "enableMultiDispatch", Rule: True,
		Defaults: since("4.9.3", "false"), Absent: "false", Local: true,
		Why: "messages get into the queue that they are sent to alone, not into the light " +
			"queues that they name: their readers get nothing",
	},
	{
		Name: "maxLmqConsumeQueueNum", Rule: AtLeast, Defaults: since("4.9.3", "20000"), Local: true,
		Why: "light queues beyond that number aren't made",
	},
	{
		Name: "enablePropertyFilter", Rule: True, Defaults: always("false"), Local: true,
		Refuses: Filtering, Needs: "true",
		Why: "pulls of groups that filter by SQL92 are refused: a consumer that starts " +
			"fails, and one that is moved gets nothing more",
	},
	{
		Name: "filterSupportRetry", Rule: Same, Defaults: always("false"), Local: true,
		Why: "groups that filter by SQL92 get messages to try again although their filter " +
			"refuses them, or don't",
	},
	{
		Name: "filterServerNums", Rule: AtLeast, Absent: "0",
		Defaults: []Default{{"4.5", "0"}, {"5.1.4", ""}}, Refuses: ByClass, Needs: "more than 0",
		Why: "groups that filter by a class get nothing: no server runs their class, and " +
			"5.1.4 and later have none (filter by SQL92 or in the application)",
	},
	{
		Name: "rejectPullConsumerEnable", Rule: False, Defaults: since("5.0.0", "false"), Absent: "false",
		Refuses: Pulling, Needs: "false",
		Why: "consumers that pull by themselves (DefaultMQPullConsumer, " +
			"DefaultLitePullConsumer) aren't taken as members, and their pulls are refused",
	},
	{
		Name: "autoCreateSubscriptionGroup", Rule: True, Defaults: always("true"), Local: true,
		Why: "groups that nobody has made, such as new ones, are refused",
	},
	{
		Name: "slaveReadEnable", Rule: True, Defaults: always("false"), Local: true,
		Why: "slaves serve no pulls, neither of old messages nor while their master is down",
	},
	{
		Name: "disableConsumeIfConsumerReadSlowly", Rule: False, Defaults: always("false"), Local: true,
		Why: "the broker closes groups that are far behind (consumerFallbehindThreshold), " +
			"and only its log says so",
	},
	{
		Name: "consumerFallbehindThreshold", Rule: AtLeast, Defaults: always("17179869184"), Local: true,
		Why: "with disableConsumeIfConsumerReadSlowly, groups are closed when they are less " +
			"far behind (bytes)",
	},
	{
		Name: "coldDataFlowControlEnable", Rule: False,
		Defaults: since("5.1.4", "false"), Absent: "false",
		Why: "groups that read old messages are slowed down",
	},
	{
		Name: "maxTransferCountOnMessageInMemory", Rule: AtLeast, Defaults: always("32"), Local: true,
		Why: "a pull gets fewer messages, whatever pullBatchSize asks for: listeners get " +
			"smaller lists",
	},
	{
		Name: "maxTransferBytesOnMessageInMemory", Rule: AtLeast, Defaults: always("262144"), Local: true,
		Why: "a pull gets fewer bytes: listeners get smaller lists",
	},
	{
		Name: "maxTransferCountOnMessageInDisk", Rule: AtLeast, Defaults: always("8"), Local: true,
		Why: "a pull of old messages gets fewer of them: who is behind catches up more " +
			"slowly",
	},
	{
		Name: "maxTransferBytesOnMessageInDisk", Rule: AtLeast, Defaults: always("65536"), Local: true,
		Why: "a pull of old messages gets fewer bytes: who is behind catches up more slowly",
	},
	{
		Name: "longPollingEnable", Rule: True, Defaults: always("true"), Local: true,
		Why: "pulls that find nothing are answered after shortPollingTimeMills, and messages " +
			"come later",
	},
	{
		Name: "notifyConsumerIdsChangedEnable", Rule: True, Defaults: always("true"), Local: true,
		Why: "members learn up to 20 s later that another one came or went: queues rest so " +
			"long",
	},
	{
		Name: "realTimeNotifyConsumerChange", Rule: True,
		Defaults: since("5.0.0", "true"), Absent: "true",
		Why: "members learn later that another one came or went: queues rest so long",
	},
	{
		Name: "channelExpiredTimeout", Rule: AtLeast,
		Defaults: since("5.1.0", "120000"), Absent: "120000",
		Why: "members and producers count as gone after a shorter silence (milliseconds), " +
			"and queues go to others",
	},
	{
		Name: "messageIndexEnable", Rule: True, Defaults: always("true"), Local: true,
		Why: "queries by key or message id find nothing",
	},
	{
		Name: "traceOn", Rule: True, Defaults: always("true"), Local: true,
		Why: "clients with message trace switched on write none",
	},
	{
		Name: "traceTopicEnable", Rule: True, Defaults: always("false"), Local: true,
		Why: "the broker doesn't make the trace topic: traces are lost where topics aren't " +
			"made by themselves",
	},
	{
		Name: "msgTraceTopicName", Rule: Same, Defaults: always("RMQ_SYS_TRACE_TOPIC"), Local: true,
		Why: "the broker makes a trace topic of another name than clients write to",
	},
	{
		Name: "regionId", Rule: Same, Defaults: always("DefaultRegion"), Local: true,
		Why: "messages, answers to sends and traces name another region",
	},
	{
		Name: "fileReservedTime", Rule: AtLeast, Defaults: always("72"),
		Why: "messages are deleted earlier (hours), read or not, and so are open " +
			"transactions",
	},
	{
		Name: "cleanFileForciblyEnable", Rule: False, Defaults: always("true"),
		Why: "when the disk is full, messages are deleted before their time; else sends " +
			"would be refused",
	},
	{
		Name: "flushDiskType", Rule: AtLeast,
		Order: []string{"ASYNC_FLUSH", "SYNC_FLUSH"}, Defaults: always("ASYNC_FLUSH"),
		Why: "messages are acknowledged before they are on the disk: the last ones are lost " +
			"with the machine",
	},
	{
		Name: "brokerRole", Rule: AtLeast,
		Order: []string{"ASYNC_MASTER", "SYNC_MASTER"}, Defaults: always("ASYNC_MASTER"),
		Why: "messages are acknowledged before a slave has them: the last ones are lost with " +
			"the master's disk",
	},
	{
		Name: "transientStorePoolEnable", Rule: False, Defaults: always("false"),
		Why: "messages are acknowledged while the broker's process alone has them: the last " +
			"ones are lost with it",
	},
	{
		Name: "messageStorePlugIn", Rule: Kept, Defaults: always(""),
		Why: "what the plug-in does for applications isn't done; rocketshift doesn't know " +
			"what it is",
	},
}
