package labtest

import (
	"fmt"
	"testing"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// registerBroker is REGISTER_BROKER (RequestCode, 4.5.2 to 5.3.3).
const registerBroker = 103

// Register tells a name server of a broker of another cluster that isn't there, and has a topic.
// The name server believes it until the test ends, or for two minutes.
func Register(t testing.TB, nameServer, cluster, broker, topic string, queues int) {
	t.Helper()
	client := rocketmq.NewClient(rocketmq.Options{})
	t.Cleanup(client.Close)
	body := fmt.Appendf(
		nil,
		`{"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":1,"timestamp":1},`+
			`"topicConfigTable":{%q:{"topicName":%q,"readQueueNums":%d,"writeQueueNums":%d,"perm":6,"topicFilterType":"SINGLE_TAG",`+
			`"topicSysFlag":0,"order":false}}}}`,
		topic,
		topic,
		queues,
		queues,
	)
	got, err := client.Call(t.Context(), nameServer, &remoting.Command{
		Code: registerBroker, Body: body,
		Fields: map[string]string{
			"brokerName": broker, "brokerAddr": "127.0.0.1:1", "clusterName": cluster, "haServerAddr": "127.0.0.1:2",
			"brokerId": "0", "compressed": "false", "bodyCrc32": "0",
		},
	})
	if err != nil || got.Code != remoting.Success {
		t.Fatalf("register broker %s at name server %s: %+v, %v", broker, nameServer, got, err)
	}
}
