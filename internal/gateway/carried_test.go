package gateway

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/checks"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// lockRequests counts the requests for locks that a broker has got.
func (b *standIn) lockRequests() (n int) {
	for {
		select {
		case f := <-b.got:
			if f.code == remoting.CodeLock {
				n++
			}
		default:
			return n
		}
	}
}

// sayingLocked is what a member answers that says it holds queues locked, each as topic/broker/id.
func sayingLocked(queues ...string) wire.Reply {
	var all []string
	for _, one := range queues {
		var name [3]string
		copy(name[:], strings.Split(one, "/"))
		all = append(all, fmt.Sprintf(
			`{"topic":%q,"brokerName":%q,"queueId":%s}:{"locked":true,"droped":false,"commitOffset":0}`,
			name[0], name[1], name[2]))
	}
	return wire.Reply{Body: []byte(`{"properties":{},"mqTable":{` + strings.Join(all, ",") +
		`},"subscriptionSet":[],"statusTable":{}}`)}
}

// Of what a member says that it holds locked, the gateway takes to the target what its group reads,
// and what the source's broker gives the member: it may say anything, and must not keep the
// authority where it is.
func TestLocksThatAMemberOnlyClaimsAreNotCarried(t *testing.T) {
	const own, nothing = `{"lockOKMQSet":[{"topic":"orders","brokerName":"broker-a","queueId":0}]}`,
		`{"lockOKMQSet":[]}`
	for name, c := range map[string]struct {
		says, source string
		asks, locks  int // requests that the source and the target get
	}{
		"what it holds":           {"orders/broker-a/0", own, 1, 1},
		"what another one holds":  {"orders/broker-a/0", nothing, 1, 0},
		"an unknown topic":        {"nowhere/broker-a/0", own, 0, 0},
		"an unknown queue":        {"orders/broker-a/77", own, 0, 0},
		"an unknown broker":       {"orders/broker-x/0", own, 0, 0},
		"what its group can't":    {"stock/broker-a/0", own, 0, 0},
		"what has no lane at all": {"orders/broker-a/1", own, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			two := newTwoSides(t)
			here, there := two.brokers[routing.Source], two.brokers[routing.Target]
			two.withTarget(t, here, there.Addr().String())
			two.table.Topics.Ensure("stock").Ensure("broker-a", 1)
			stock, orders := two.table.Topics.Get([]byte("stock")), two.table.Topics.Get([]byte("orders"))
			stock.All()[0].SetLane(orders.All()[0].Lane())
			two.lists(routing.Source, "one")
			here.answer(remoting.CodeRunningInfo, sayingLocked(c.says))
			here.answer(remoting.CodeLock, wire.Reply{Body: []byte(c.source)})
			there.answer(remoting.CodeLock, wire.Reply{Body: []byte(
				`{"lockOKMQSet":[{"topic":"orders","brokerName":"broker-t","queueId":0}]}`)})
			require.NoError(
				t,
				checks.ShareOnTarget(t.Context(), &two.table, "billing", false, mustLanes(t, two.Gateway)),
			)
			assert.Equal(t, c.asks, here.lockRequests(), "requests to the source")
			assert.Equal(t, c.locks, there.lockRequests(), "requests to the target")
		})
	}
}
