package findings

import "rocketshift/api"

// What messages are for, and how large they are.
const (
	RequestReply        ID = "request-reply"
	MessageTooLong      ID = "message-too-long"
	PropertiesOverProxy ID = "properties-over-proxy"
	TraceTopic          ID = "trace-topic"
	LightQueues         ID = "light-queues"
	TargetLite          ID = "target-lite"
)

func contentEntries() []Entry {
	return []Entry{
		{
			RequestReply, warning, "applications send requests and wait for replies",
			"a reply goes to the cluster that stored the request: who waits on the other one gets none, and gRPC clients " +
				"of 5.x can't send requests",
			"move who asks and who answers in one step, let askers try again after a time-out, and keep them on the " +
				"remoting SDK",
		},
		{
			MessageTooLong,
			[]api.Severity{api.SeverityRefusal, api.SeverityWarning, api.SeverityAdvice},
			"messages are longer than the target takes",
			"lanes stop at the first such message, and producers are refused once they have moved",
			"raise maxMessageSize on the target's brokers to that of the source, or exclude the topic",
		},
		{
			PropertiesOverProxy, warning, "messages have more properties than a 5.x proxy takes",
			"brokers take up to 32 KB of them; a proxy refuses sends of gRPC clients above 16 KB or 128 properties",
			"keep its producers on the remoting SDK, or move what is long into the body",
		},
		{
			TraceTopic,
			[]api.Severity{api.SeverityWarning, api.SeverityAdvice},
			"clients write message traces",
			"traces are of messages of one cluster, and 5.x writes them in another form: copies help nobody",
			"nothing: look at old traces on the source while it runs; on the target, traceTopicEnable=true has " +
				"brokers make the topic",
		},
		{
			LightQueues, warning, "brokers of the source have light queues (LMQ, as MQTT uses them)",
			"only the topics that messages were sent to are copied, and positions of light queues stay behind; LiteTopic " +
				"of 5.x is something else",
			"give the target's brokers enableLmq=true and enableMultiDispatch=true, and let light consumers start anew",
		},
		{
			TargetLite, refusal, "a topic is of type LITE on the target",
			"its messages reach light consumers alone, never groups of 4.x clients",
			"delete it there, or give the topic another name (target.rename.topics)",
		},
	}
}
