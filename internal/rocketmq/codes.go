package rocketmq

import "strconv"

// Request codes (org.apache.rocketmq.common.protocol.RequestCode, 4.9.7).
const (
	codePull               = 11
	codeQueryOffset        = 14
	codeUpdateOffset       = 15
	codeCreateTopic        = 17
	codeTopicConfigs       = 21
	codeBrokerConfig       = 26
	codeRuntime            = 28
	codeSearchOffset       = 29
	codeMaxOffset          = 30
	codeMinOffset          = 31
	codeLock               = 41
	codeUnlock             = 42
	codeAllOffsets         = 43
	codeDelayOffsets       = 45
	codeRoute              = 105
	codeClusterInfo        = 106
	codePutGroup           = 200
	codeGroups             = 201
	codeTopicStats         = 202
	codeConsumerConnection = 203
	codeDeleteGroup        = 207
	codeConsumeStats       = 208
	codeDeleteTopic        = 215
	codeDeleteTopicInNS    = 216
	codeRunningInfo        = 307
	codeTopicNames         = 206
	codeSendV2             = 310
	codeStats              = 315
	codeSendBatch          = 320
	codeProducers          = 328
)

// Response codes (ResponseCode and RemotingSysResponseCode).
const (
	Success                 = 0
	SystemError             = 1
	SystemBusy              = 2
	NotSupported            = 3
	FlushDiskTimeout        = 10 // the message is stored
	SlaveNotAvailable       = 11 // the message is stored
	FlushSlaveTimeout       = 12 // the message is stored
	MessageIllegal          = 13
	ServiceNotAvailable     = 14
	NoPermission            = 16
	TopicNotExist           = 17
	PullNotFound            = 19
	PullRetryImmediately    = 20
	PullOffsetMoved         = 21
	QueryNotFound           = 22
	SubscriptionParseFailed = 23
	SubscriptionGroupGone   = 26
	InvalidParameter        = 29
	ConsumerNotOnline       = 206
	FlowControl             = 215
	NotLeaderForQueue       = 501
	GoAway                  = 1500
)

var responseNames = map[int]string{
	Success: "SUCCESS", SystemError: "SYSTEM_ERROR", SystemBusy: "SYSTEM_BUSY", NotSupported: "REQUEST_CODE_NOT_SUPPORTED",
	FlushDiskTimeout: "FLUSH_DISK_TIMEOUT", SlaveNotAvailable: "SLAVE_NOT_AVAILABLE", FlushSlaveTimeout: "FLUSH_SLAVE_TIMEOUT",
	MessageIllegal: "MESSAGE_ILLEGAL", ServiceNotAvailable: "SERVICE_NOT_AVAILABLE", NoPermission: "NO_PERMISSION",
	TopicNotExist: "TOPIC_NOT_EXIST", PullNotFound: "PULL_NOT_FOUND", PullRetryImmediately: "PULL_RETRY_IMMEDIATELY",
	PullOffsetMoved: "PULL_OFFSET_MOVED", QueryNotFound: "QUERY_NOT_FOUND", SubscriptionGroupGone: "SUBSCRIPTION_GROUP_NOT_EXIST",
	SubscriptionParseFailed: "SUBSCRIPTION_PARSE_FAILED",
	InvalidParameter:        "INVALID_PARAMETER", ConsumerNotOnline: "CONSUMER_NOT_ONLINE", FlowControl: "FLOW_CONTROL",
	NotLeaderForQueue: "NOT_LEADER_FOR_QUEUE", GoAway: "GO_AWAY",
}

var requestNames = map[int]string{
	codePull: "PULL_MESSAGE", codeQueryOffset: "QUERY_CONSUMER_OFFSET", codeUpdateOffset: "UPDATE_CONSUMER_OFFSET",
	codeCreateTopic: "UPDATE_AND_CREATE_TOPIC", codeTopicConfigs: "GET_ALL_TOPIC_CONFIG", codeBrokerConfig: "GET_BROKER_CONFIG",
	codeRuntime: "GET_BROKER_RUNTIME_INFO", codeSearchOffset: "SEARCH_OFFSET_BY_TIMESTAMP", codeMaxOffset: "GET_MAX_OFFSET",
	codeMinOffset: "GET_MIN_OFFSET", codeLock: "LOCK_BATCH_MQ", codeUnlock: "UNLOCK_BATCH_MQ", codeAllOffsets: "GET_ALL_CONSUMER_OFFSET",
	codeDelayOffsets: "GET_ALL_DELAY_OFFSET", codeRoute: "GET_ROUTEINFO_BY_TOPIC", codeClusterInfo: "GET_BROKER_CLUSTER_INFO",
	codePutGroup: "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP", codeGroups: "GET_ALL_SUBSCRIPTIONGROUP_CONFIG", codeTopicStats: "GET_TOPIC_STATS_INFO",
	codeConsumerConnection: "GET_CONSUMER_CONNECTION_LIST", codeDeleteGroup: "DELETE_SUBSCRIPTIONGROUP", codeConsumeStats: "GET_CONSUME_STATS",
	codeDeleteTopic: "DELETE_TOPIC_IN_BROKER", codeDeleteTopicInNS: "DELETE_TOPIC_IN_NAMESRV", codeRunningInfo: "GET_CONSUMER_RUNNING_INFO",
	codeTopicNames: "GET_ALL_TOPIC_LIST_FROM_NAMESERVER",
	codeSendV2:     "SEND_MESSAGE_V2", codeStats: "VIEW_BROKER_STATS_DATA",
	codeSendBatch: "SEND_BATCH_MESSAGE", codeProducers: "GET_ALL_PRODUCER_INFO",
}

// CodeName is RocketMQ's name of a response code, or its number.
func CodeName(code int) string { return nameOr(responseNames, code) }

func requestName(code int) string { return nameOr(requestNames, code) }

func nameOr(names map[int]string, code int) string {
	if name, ok := names[code]; ok {
		return name
	}
	return "CODE_" + strconv.Itoa(code)
}
