package sheet

import (
	"strings"
	"unicode"

	"rocketshift/internal/metadata"
)

// field is what a column means.
type field int

const (
	unknown field = iota
	topicName
	topicType
	groupName
	groupProtocol
	groupOrder
	retryPolicy
	maxTimes
	deadLetter
	remark
)

// headers are the header words of console sheets in plain form. Those of the group sheets are
// documented; those of the topic sheets aren't, so that several spellings are taken.
var headers = map[string]field{
	"topic": topicName, "topicname": topicName, "topicid": topicName, "topic名称": topicName, "主题": topicName,
	"主题名称": topicName, "主题名": topicName,
	"messagetype": topicType, "topictype": topicType, "消息类型": topicType, "topic类型": topicType, "主题类型": topicType,
	"consumergroupid": groupName, "groupid": groupName, "group": groupName, "groupname": groupName,
	"consumergroup": groupName, "consumergroupname": groupName, "消费者分组": groupName, "消费组": groupName,
	"消费者组": groupName, "消费者组id": groupName, "消费组id": groupName, "消费者分组id": groupName, "group名称": groupName,
	"consumergrouptype": groupProtocol, "grouptype": groupProtocol, "protocol": groupProtocol, "消费者分组类型": groupProtocol,
	"消费组类型": groupProtocol, "group类型": groupProtocol, "协议": groupProtocol, "协议类型": groupProtocol,
	"deliveryordertype": groupOrder, "deliveryorder": groupOrder, "投递顺序性": groupOrder, "投递顺序": groupOrder,
	"投递顺序类型":             groupOrder,
	"consumeretrypolicy": retryPolicy, "retrypolicy": retryPolicy, "消费重试策略": retryPolicy, "重试策略": retryPolicy,
	"maxretrytimes": maxTimes, "maximumretries": maxTimes, "maxretries": maxTimes, "最大重试次数": maxTimes,
	"deadlettertargettopic": deadLetter, "deadlettertopic": deadLetter, "死信目标topic": deadLetter,
	"死信topic": deadLetter, "死信存储topic": deadLetter, "死信主题": deadLetter,
	"remark": remark, "remarks": remark, "description": remark, "备注": remark, "描述": remark, "说明": remark,
}

// types are the words for message types, and the numbers of the 4.x OpenAPI.
var types = map[string]metadata.MessageType{
	"normal": "NORMAL", "normalmessage": "NORMAL", "普通消息": "NORMAL", "普通": "NORMAL", "0": "NORMAL",
	"fifo": "FIFO", "ordered": "FIFO", "orderedmessage": "FIFO", "order": "FIFO", "顺序消息": "FIFO", "顺序": "FIFO",
	"partitionallyordered": "FIFO", "partitionallyorderedmessage": "FIFO", "分区顺序消息": "FIFO", "1": "FIFO",
	"globallyordered": "FIFO", "globallyorderedmessage": "FIFO", "全局顺序消息": "FIFO", "2": "FIFO",
	"transaction": "TRANSACTION", "transactional": "TRANSACTION", "transactionmessage": "TRANSACTION",
	"transactionalmessage": "TRANSACTION", "事务消息": "TRANSACTION", "事务": "TRANSACTION", "4": "TRANSACTION",
	"delay": "DELAY", "delayed": "DELAY", "scheduled": "DELAY", "delayedmessage": "DELAY", "scheduledmessage": "DELAY",
	"scheduleddelayed": "DELAY", "scheduleddelayedmessage": "DELAY", "scheduledordelayedmessage": "DELAY",
	"scheduledanddelayedmessage": "DELAY", "定时消息": "DELAY", "延时消息": "DELAY", "定时延时消息": "DELAY", "5": "DELAY",
	"lite": "LITE", "mixed": "MIXED",
}

// globalOrder are the words for types that keep one order over all messages.
var globalOrder = map[string]bool{"globallyordered": true, "globallyorderedmessage": true, "全局顺序消息": true, "2": true}

// Words of the documented 5.x group sheet.
const (
	concurrently = "Concurrently"
	orderly      = "Orderly"
	fixedRetry   = "FixedRetryPolicy"
	defaultRetry = "DefaultRetryPolicy"
)

var orders = map[string]bool{
	"concurrently": false, "concurrent": false, "并发投递": false, "并发": false, "并发消费": false,
	"orderly": true, "ordered": true, "顺序投递": true, "顺序": true, "顺序消费": true,
}

var policies = map[string]metadata.RetryPolicy{
	"fixedretrypolicy": metadata.RetryFixed, "fixed": metadata.RetryFixed, "固定间隔重试": metadata.RetryFixed,
	"固定重试": metadata.RetryFixed, "固定间隔": metadata.RetryFixed,
	"defaultretrypolicy": metadata.RetryDefault, "default": metadata.RetryDefault, "阶梯退避": metadata.RetryDefault,
	"阶梯重试": metadata.RetryDefault, "默认重试": metadata.RetryDefault, "指数退避": metadata.RetryDefault,
}

// folded is a word in plain form: letters and digits alone, in lower case. Consoles put marks such as
// * at required columns, and change spaces and slashes.
func folded(word string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, word)
}
