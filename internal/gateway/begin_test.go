package gateway

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// codeTopicConfigs is GET_ALL_TOPIC_CONFIG.
const codeTopicConfigs = 21

// One broker that has just been started, and answers questions with exceptions, or that is
// registered and gone, is no reason for a gateway not to start, even the first time: clients of the
// others are served.
func TestAGatewayBeginsWhileABrokerIsAwayOrNotReady(t *testing.T) {
	all := func(int) bool { return true }
	names, well, young := newStandIn(t, all), newStandIn(t, all), newStandIn(t, all)
	names.answer(remoting.CodeClusterInfo, wire.Reply{Body: fmt.Appendf(nil, `{"brokerAddrTable":{`+
		`"gone":{"brokerAddrs":{0:"127.0.0.1:1"},"brokerName":"gone","cluster":"C"},`+
		`"well":{"brokerAddrs":{0:%q},"brokerName":"well","cluster":"C"},`+
		`"young":{"brokerAddrs":{0:%q},"brokerName":"young","cluster":"C"}}}`, well.Addr(), young.Addr())})
	const refusal = "java.util.NoSuchElementException"
	for _, code := range []int{codeRuntime, codeTopicConfigs} {
		young.answer(code, wire.Reply{Code: remoting.SystemError, Remark: refusal})
	}
	well.answer(codeRuntime, wire.Reply{Body: []byte(`{"table":{"brokerVersionDesc":"V4_9_7"}}`)})
	well.answer(
		codeTopicConfigs,
		wire.Reply{
			Body: []byte(
				`{"topicConfigTable":{"orders":{"topicName":"orders","readQueueNums":2,"writeQueueNums":2,"perm":6}}}`,
			),
		},
	)
	var log logLines
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755)) //nolint:gosec // as an administrator makes one
	g, err := Start(
		Config{
			Name:        "g",
			Listen:      "127.0.0.1",
			Advertise:   "127.0.0.1",
			Dir:         dir,
			NameServers: []string{names.Addr().String()},
			Log:         logTo(&log),
		},
	)
	require.NoError(t, err)
	t.Cleanup(g.Close)
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.EqualValues(t, 0o700, info.Mode().Perm())
	for _, broker := range []string{"gone", "well", "young"} {
		dials(t, g.clients.ports.numbers()[broker])
		assert.Equal(t, 1,
			log.with(
				"doesn't say its version; it is asked again\" gateway=g side=source broker="+broker,
			)+map[string]int{"well": 1}[broker])
	}
	require.NotNil(t, g.table.Topics.Get([]byte("orders")), "what the others have is known")
	assert.Len(t, g.table.Topics.Get([]byte("orders")).All(), 2)
	assert.Equal(t, 1, log.with("it begins with what it knew"))

	young.answer(
		codeTopicConfigs,
		wire.Reply{
			Body: []byte(
				`{"topicConfigTable":{"late":{"topicName":"late","readQueueNums":1,"writeQueueNums":1,"perm":6}}}`,
			),
		},
	)
	require.Eventually(t, func() bool { return g.table.Topics.Get([]byte("late")) != nil }, patience, lookEvery,
		"it is asked again soon")

	names.answer(remoting.CodeClusterInfo, wire.Reply{Body: fmt.Appendf(nil, `{"brokerAddrTable":{`+
		`"well":{"brokerAddrs":{0:"127.0.0.1:1"},"brokerName":"well","cluster":"C"}}}`)})
	g.clients.refresh.now()
	require.Eventually(t, func() bool {
		return fmt.Sprint(keptIn(t, dir).Brokers["source"]["well"]) == "[127.0.0.1:1]"
	}, patience, lookEvery, "where brokers are is written when it changes")
}
