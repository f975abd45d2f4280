package remoting

import "strconv"

// Request codes (org.apache.rocketmq.common.protocol.RequestCode, 4.9.7).
const (
	CodeSend               = 10
	CodePull               = 11
	CodeQueryOffset        = 14
	CodeUpdateOffset       = 15
	CodeCreateTopic        = 17
	CodeCreateTopics       = 18 // 5.3 and later
	CodeTopicConfigs       = 21
	CodeUpdateBrokerConfig = 25
	CodeBrokerConfig       = 26
	CodeRuntime            = 28
	codeSearchOffset       = 29
	CodeMaxOffset          = 30
	CodeMinOffset          = 31
	CodeViewMessage        = 33
	CodeHeartbeat          = 34
	CodeUnregister         = 35
	CodeSendBack           = 36
	CodeEndTransaction     = 37
	CodeMembers            = 38
	CodeCheckTransaction   = 39
	CodeNotifyMembers      = 40
	CodeLock               = 41
	CodeUnlock             = 42
	CodeAllOffsets         = 43
	CodeDelayOffsets       = 45
	CodeACLConfig          = 54 // 4.7 to 4.9.7, 5.0 to 5.3.2
	CodeKVPut              = 100
	CodeKVGet              = 101
	CodeKVDelete           = 102
	CodeRoute              = 105
	CodeClusterInfo        = 106
	CodePutGroup           = 200
	CodeGroups             = 201
	CodeTopicStats         = 202
	CodeConsumerConnection = 203
	CodeTopicNames         = 206
	CodeDeleteGroup        = 207
	CodeConsumeStats       = 208
	CodeDeleteTopic        = 215
	CodeDeleteTopicInNS    = 216
	CodeKVList             = 219
	CodeTopicsOfCluster    = 224
	CodePutGroups          = 225 // 5.3 and later
	CodeSystemTopics       = 304
	CodeRunningInfo        = 307
	CodeConsumeDirectly    = 309
	CodeSendV2             = 310
	CodeStats              = 315
	CodeSendBatch          = 320
	CodeReply              = 324
	CodeReplyV2            = 325
	CodePushReply          = 326
	CodeProducers          = 328
	CodeLitePull           = 361
	CodeCreateUser         = 3001 // ACL 2.0: 5.3 and later
	CodeUpdateUser         = 3002
	CodeListUsers          = 3005
	CodeCreateACL          = 3006
	CodeUpdateACL          = 3007
	CodeDeleteACL          = 3008
	CodeListACLs           = 3010
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
	Success: "SUCCESS", SystemError: "SYSTEM_ERROR", SystemBusy: "SYSTEM_BUSY",
	NotSupported: "REQUEST_CODE_NOT_SUPPORTED", FlushDiskTimeout: "FLUSH_DISK_TIMEOUT",
	SlaveNotAvailable: "SLAVE_NOT_AVAILABLE", FlushSlaveTimeout: "FLUSH_SLAVE_TIMEOUT",
	MessageIllegal: "MESSAGE_ILLEGAL", ServiceNotAvailable: "SERVICE_NOT_AVAILABLE",
	NoPermission: "NO_PERMISSION", TopicNotExist: "TOPIC_NOT_EXIST", PullNotFound: "PULL_NOT_FOUND",
	PullRetryImmediately: "PULL_RETRY_IMMEDIATELY", PullOffsetMoved: "PULL_OFFSET_MOVED",
	QueryNotFound: "QUERY_NOT_FOUND", SubscriptionGroupGone: "SUBSCRIPTION_GROUP_NOT_EXIST",
	SubscriptionParseFailed: "SUBSCRIPTION_PARSE_FAILED", InvalidParameter: "INVALID_PARAMETER",
	ConsumerNotOnline: "CONSUMER_NOT_ONLINE", FlowControl: "FLOW_CONTROL",
	NotLeaderForQueue: "NOT_LEADER_FOR_QUEUE", GoAway: "GO_AWAY",
}

var requestNames = map[int]string{
	CodePull: "PULL_MESSAGE", CodeQueryOffset: "QUERY_CONSUMER_OFFSET",
	CodeUpdateOffset: "UPDATE_CONSUMER_OFFSET", CodeCreateTopic: "UPDATE_AND_CREATE_TOPIC",
	CodeTopicConfigs: "GET_ALL_TOPIC_CONFIG", CodeBrokerConfig: "GET_BROKER_CONFIG",
	CodeRuntime: "GET_BROKER_RUNTIME_INFO", codeSearchOffset: "SEARCH_OFFSET_BY_TIMESTAMP",
	CodeMaxOffset: "GET_MAX_OFFSET", CodeMinOffset: "GET_MIN_OFFSET", CodeLock: "LOCK_BATCH_MQ",
	CodeUnlock: "UNLOCK_BATCH_MQ", CodeAllOffsets: "GET_ALL_CONSUMER_OFFSET",
	CodeDelayOffsets: "GET_ALL_DELAY_OFFSET", CodeRoute: "GET_ROUTEINFO_BY_TOPIC",
	CodeClusterInfo: "GET_BROKER_CLUSTER_INFO", CodePutGroup: "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP",
	CodeGroups: "GET_ALL_SUBSCRIPTIONGROUP_CONFIG", CodeTopicStats: "GET_TOPIC_STATS_INFO",
	CodeConsumerConnection: "GET_CONSUMER_CONNECTION_LIST", CodeDeleteGroup: "DELETE_SUBSCRIPTIONGROUP",
	CodeConsumeStats: "GET_CONSUME_STATS", CodeDeleteTopic: "DELETE_TOPIC_IN_BROKER",
	CodeDeleteTopicInNS: "DELETE_TOPIC_IN_NAMESRV", CodeRunningInfo: "GET_CONSUMER_RUNNING_INFO",
	CodeTopicNames: "GET_ALL_TOPIC_LIST_FROM_NAMESERVER", CodeSendV2: "SEND_MESSAGE_V2",
	CodeCreateTopics: "UPDATE_AND_CREATE_TOPIC_LIST", CodePutGroups: "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST",
	CodeKVPut: "PUT_KV_CONFIG", CodeKVGet: "GET_KV_CONFIG", CodeKVDelete: "DELETE_KV_CONFIG",
	CodeKVList: "GET_KVLIST_BY_NAMESPACE", CodeStats: "VIEW_BROKER_STATS_DATA", CodeSendBatch: "SEND_BATCH_MESSAGE",
	CodeProducers:  "GET_ALL_PRODUCER_INFO",
	CodeACLConfig:  "GET_BROKER_CLUSTER_ACL_CONFIG",
	CodeCreateUser: "AUTH_CREATE_USER", CodeUpdateUser: "AUTH_UPDATE_USER", CodeListUsers: "AUTH_LIST_USER",
	CodeCreateACL: "AUTH_CREATE_ACL", CodeUpdateACL: "AUTH_UPDATE_ACL", CodeDeleteACL: "AUTH_DELETE_ACL",
	CodeListACLs: "AUTH_LIST_ACL",
}

// CodeName is RocketMQ's name of a response code, or its number.
func CodeName(code int) string { return nameOr(responseNames, code) }

// RequestName is RocketMQ's name of a request, or its number.
func RequestName(code int) string { return nameOr(requestNames, code) }

func nameOr(names map[int]string, code int) string {
	if name, ok := names[code]; ok {
		return name
	}
	return "CODE_" + strconv.Itoa(code)
}
