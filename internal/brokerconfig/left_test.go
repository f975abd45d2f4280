package brokerconfig

import "path"

// left are settings that aren't compared, and why not. Names may have wildcards, as path.Match
// knows them.
type left struct {
	why   string
	names []string
}

// leftOut has, with Table, every setting of the servers 4.5 to 5.5.
var leftOut = []left{
	{
		"where a server is, what it is called, and with whom it works: another cluster has " +
			"others",
		[]string{
			"broker*Name", "brokerConfigPath", "brokerId", "brokerIP?", "rocketmqHome",
			"namesrvAddr", "listenPort", "bindAddress", "haListenPort", "haMasterAddress",
			"storePath*", "readOnlyCommitLogStorePaths", "dLeger*", "preferredLeaderId",
			"controllerAddr", "brokerElectionPriority", "is*Container",
		},
	},
	{
		"how many of a server's threads, buffers and waiting requests there are, and how long " +
			"those wait that clients make again by themselves: speed",
		[]string{
			"*ThreadPoolNums", "*ThreadPoolQueueCapacity", "endTransactionPoolQueueCapacity",
			"*ThreadNum", "server*Threads", "client*Threads", "*SemaphoreValue",
			"*SocketRcvBufSize", "*SocketSndBufSize", "serverSocketBacklog",
			"*PooledByteBufAllocatorEnable", "*NettyWorkerGroup*", "disableCallbackExecutor",
			"useEpollNativeSelector", "writeBuffer*WaterMark", "PROCESSOR_NUMBER",
			"waitTimeMillsInPullQueue", "waitTimeMillsInLitePullQueue",
			"waitTimeMillsInHeartbeatQueue", "waitTimeMillsInAckQueue",
			"waitTimeMillsInAdminBrokerQueue", "maxAsyncPutMessageRequests", "asyncSendEnable",
			"enableNetWorkFlowControl", "topicQueueLockNum", "enableFastChannelEventProcess",
			"transferMsgByHeap", "highSpeedMode", "accessMessageInMemory*", "shortPollingTimeMills",
		},
	},
	{
		"how servers connect: clients connect again by themselves",
		[]string{
			"*ChannelMaxIdleTimeSeconds", "channelNotActiveInterval", "clientCloseSocketIfTimeout",
			"connectTimeoutMillis", "useTLS", "socksProxyConfig", "enableReconnectForGoAway",
			"maxReconnectIntervalTimeSeconds", "isScanAvailableNameSrv", "enableShutdownGracefully",
			"shutdownWaitTimeSeconds",
		},
	},
	{
		"how files are written, allocated, indexed and recovered: what is read is the same",
		[]string{
			"mapped*", "maped*", "mapper*", "compaction*", "enableCompaction", "maxOffsetMapSize",
			"flush*Pages*", "flush*Interval", "flushInterval*", "flushCommitLogTimed", "commit*",
			"memTableFlush*", "maxHashSlotNum", "maxIndexNum", "maxMsgsNumBatch",
			"messageIndexSafe", "putMsgIndexHightWater", "bitMapLengthConsumeQueueExt",
			"enableConsumeQueueExt", "store*Type", "combine*", "rocksdb*", "*RocksDB*",
			"bottomMostCompressionTypeForConsumeQueueStore", "logicQueue*", "*SwapedMapInterval",
			"useReentrantLockWhenPutMessage", "useABSLock", "spinLockCollisionRetreatOptimalDegree",
			"fastFailIfNoBufferInStorePool", "transientStorePoolSize", "warmMapedFileEnable",
			"putMessageTimeout", "wake*WhenPutMessage", "dispatch*", "batchDispatch*",
			"enableBuildConsumeQueueConcurrently", "enableAsyncReput", "recheckReputOffsetFromCq",
			"putConsumeQueueDataByFileChannel", "searchBcqByCacheEnable",
			"travelCqFileNumWhenGetMessage", "correctLogic*", "maxConsumeQueueScan",
			"maxFilterMessageSize", "pullBatchMaxMessageCount", "dataReadAheadEnable",
			"checkCRCOnRecover", "recoverConcurrently", "maxRecoveryCommitlogFiles",
			"enableAcceleratedRecovery", "enableLogConsumeQueueRepeatedlyBuildWhenRecover",
			"enableRunningFlagsInFlush", "writeWithoutMmap", "debugLockEnable",
			"enabledAppendPropCRC", "forceVerifyPropCRC", "autoMessageVersionOnTopicLen",
			"maxChecksumRange", "sample*", "transactionOp*", "enableSplitMetadata",
			"splitMetadataSize", "configManagerVersion", "storeType", "syncFlushTimeout",
			"MULTI_PATH_SPLITTER",
		},
	},
	{
		"when files are deleted for the size of the disk, which is another one",
		[]string{
			"deleteWhen", "delete*Interval", "deleteFileBatchMax", "maxBatchDeleteFilesNum",
			"destroyMapedFileIntervalForcibly", "redeleteHangedFileInterval",
			"cleanResourceInterval", "disk*", "logicalDiskSpaceCleanForciblyThreshold",
			"replicasPerDiskPartition",
		},
	},
	{
		"how masters, slaves and controllers work with each other",
		[]string{
			"haFlowControlEnable", "haHousekeepingInterval", "haMax*", "haSendHeartbeatInterval",
			"haSlaveFallbehindMax", "haTransferBatchSize", "maxHaTransferByteInSecond",
			"slaveTimeout", "offsetCheckInSlave", "maxSlaveResendLength", "duplicationEnable",
			"readUnCommitted", "totalReplicas", "inSyncReplicas", "minInSyncReplicas",
			"allAckInSyncStateSet", "enableAutoInSyncReplicas", "asyncLearner", "sync*", "check*",
			"enableControllerMode", "controllerHeartBeatTimeoutMills", "fetchController*",
			"enableSlaveActingMaster", "enableRemoteEscape", "lockInStrictMode", "skipPreOnline",
			"brokerHeartbeatInterval", "brokerNotActiveTimeoutMillis", "cleanOfflineBrokerInterval",
			"sendHeartbeatTimeoutMillis", "forwardTimeout", "enableBatchPush", "isEnableBatchPush",
		},
	},
	{
		"how brokers register at name servers",
		[]string{
			"fetchName*", "compressedRegister", "forceRegister", "registerBrokerTimeoutMills",
			"registerNameServerPeriod", "updateNameServerAddrPeriod", "compatibleWithOldNameSrv",
			"enableSingleTopicRegister", "enableSplitRegistration", "splitRegistrationSize",
			"loadBalancePollNameServerInterval",
		},
	},
	{
		"statistics, metrics and logs",
		[]string{
			"metric*", "enable*Metrics", "enable*Stat", "enable*Stats", "accountStats*",
			"autoDeleteUnusedStats", "maxStatsIdleTimeInMinutes", "commercial*", "isolateLogEnable",
			"print*", "estimateAccumulation", "transactionMetric*", "log",
		},
	},
	{
		"how filters are made faster: what they let through is the same",
		[]string{
			"enableCalcFilterBitMap", "expectConsumerNumUseFilter", "maxErrorRateOfBloomFilter",
			"filterDataCleanTimeSpan",
		},
	},
	{
		"how delayed messages are delivered inside: their times are messageDelayLevel's",
		[]string{
			"maxDelayTime", "enableScheduleAsyncDeliver", "scheduleAsyncDeliver*",
		},
	},
	{
		"of what 4.x has not, so that applications that come from there don't use it (timers " +
			"of any time, pop, recall)",
		[]string{
			"timer*", "disappearTimeAfterStart", "pop*", "enablePop*", "maxPop*", "defaultPop*",
			"initPop*", "retrieveMessageFromPop*", "enableNotify*Pop*", "enableRetryTopicV2",
			"clearRetryTopicWhenDeleteTopic", "revive*", "enableSkipLongAwaitingAck",
			"append*Async", "skipWhenCKRePutReachMaxTimes", "serverLoadBalancerEnable",
			"defaultMessageRequestMode", "*recall*", "allowRecallWhenBrokerNotWriteable",
			"enableBroadcastOffsetStore", "broadcastOffset*", "litePullMessageEnable",
			"coldCtrStrategyEnable", "coldDataScanEnable", "usePIDColdCtrStrategy",
			"*ColdReadThreshold",
		},
	},
	{
		"what administrators see and do",
		[]string{
			"defaultQueryMaxNum", "useServerSideResetOffset", "validateSystemTopicWhenUpdateTopic",
			"configBlackList", "consumerOffsetUpdateVersionStep", "delayOffsetUpdateVersionStep",
			"clusterTopicEnable", "brokerTopicEnable", "enableCreateSysGroup",
			"useStaticSubscription", "subscriptionExpiredTimeout", "enableCleanExpiredOffset",
		},
	},
	{
		"read only where transactions are refused, see rejectTransactionMessage",
		[]string{
			"enableRegisterProducer",
		},
	},
	{
		"compared with the topics that need it, in ImportMetadata",
		[]string{
			"enableMixedMessageType",
		},
	},
}

// judged reports whether a setting is compared, or left out for a reason.
func judged(name string) bool {
	for _, s := range Table {
		if s.Name == name {
			return true
		}
		for _, other := range s.Also {
			if other == name {
				return true
			}
		}
	}
	for _, one := range leftOut {
		for _, pattern := range one.names {
			if ok, _ := path.Match(pattern, name); ok {
				return true
			}
		}
	}
	return false
}
