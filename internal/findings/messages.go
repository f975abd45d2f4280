package findings

// Messages, as far as they were looked into.
const (
	TypesMixed         ID = "types-mixed"
	OrderWithoutKey    ID = "order-without-key"
	PropertiesTooLong  ID = "properties-too-long"
	DelayBeyondLimit   ID = "delay-beyond-limit"
	DelaysPending      ID = "delays-pending"
	Transactions       ID = "transactions"
	TransactionTimeout ID = "transaction-timeout"
)

func messageEntries() []Entry {
	return []Entry{
		{
			TypesMixed, warning, "a topic has messages of several types",
			"5.x has one type for a topic, and its proxy refuses all others; only type MIXED takes all, which brokers " +
				"must allow (enableMixedMessageType) and managed instances may not have",
			"let the target take MIXED, give each type a topic of its own before you migrate, or choose one in topics.types",
		},
		{
			OrderWithoutKey, refusalOrWarning, "ordered messages without the sharding key of 5.x",
			"a 5.x proxy knows ordered messages by the property __SHARDINGKEY alone, which client-go and rocketmq-spring " +
				"don't write: a topic of type FIFO refuses them",
			"leave the topic NORMAL (the order in its queues is kept), and make it FIFO when its producers write the key",
		},
		{
			PropertiesTooLong, refusal, "a message's properties leave no room for a copy's stamp",
			"brokers acknowledge a batch with more than 32,767 bytes of properties, and then lose other messages: such a " +
				"message is never copied, and its lane stops there",
			"let the producer put less into properties, and wait until such messages have expired, or exclude the topic",
		},
		{
			DelayBeyondLimit, refusalOrWarning, "delays that are longer than the target takes",
			"5.x refuses such messages, or delivers them earlier: 3 days on brokers unless timerMaxDelaySec is larger, 1 " +
				"day on their proxy, 7 or 40 days on managed instances by their edition; 4.x has levels that anybody may set",
			"choose a target that takes them (target.maxDelay says what it takes), or let producers choose shorter delays",
		},
		{
			DelaysPending, advice, "messages wait to be delivered later",
			"they appear in their topics while the source lives, and are copied then",
			"keep the source until the last of them is due; Finalize counts them",
		},
		{
			Transactions, advice, "topics with transactions",
			"open ones end on the source, which asks their producers: a producer that has gone leaves them to be given up",
			"keep producers connected to the source until it has no open transaction; the ledger counts them",
		},
		{
			TransactionTimeout, warning, "the target checks transactions before it has marked finished ones",
			"5.x marks finished transactions in batches; a check in between commits a message a second time",
			"set transactionTimeOut to twice transactionOpBatchInterval or more on the target's brokers",
		},
	}
}
