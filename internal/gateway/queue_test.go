package gateway

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// For a negative queue brokers pick one themselves (randomQueueId of 4.9.7): past homes and holds.
// A broker judges what is for a queue that it doesn't have.
func TestASendThatLetsTheBrokerPickItsQueueIsRefused(t *testing.T) {
	for name, at := range map[string]routing.Side{"all on the source": routing.Source, "home on the target": routing.Target} {
		t.Run(name, func(t *testing.T) {
			g := newGuarded(t, appKeys)
			g.queue(at)
			g.source.answer(remoting.CodeSend, wire.Reply{Code: remoting.Success})
			g.source.answer(remoting.CodeSendBatch, wire.Reply{Code: remoting.Success})
			for _, code := range []int{remoting.CodeSendV2, remoting.CodeSend, remoting.CodeSendBatch} {
				topic, queue, _, properties := keysOf(code)
				for _, id := range []string{"-1", "-2147483648", ""} {
					fields := []string{"a", "producers", topic, "orders", queue, id, properties, ""}
					if id == "" {
						fields = []string{"a", "producers", topic, "orders", properties, ""}
					}
					g.request(code, 0, rightly, fields, "body")
					is, remark := g.answer()
					assert.Equal(t, remoting.SystemError, is, "code %d, queue %q", code, id)
					assert.Contains(t, remark, "names no queue of topic orders")
					g.nothing("a send to no queue")
				}
				fields := []string{"a", "producers", topic, "orders", queue, "9", properties, ""}
				g.request(code, 0, rightly, fields, "body")
				require.Equal(t, code, g.source.next(t).code, "a queue that the broker doesn't have")
				g.answer()
				fields[3], fields[5] = "unknown", "-1"
				g.request(code, 0, rightly, fields, "body")
				require.Equal(t, code, g.source.next(t).code, "a topic that isn't looked into")
				g.answer()
			}
		})
	}
}
