package gateway

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// Before, the gateway paired the queues of all clusters that the source's name servers know: retry
// topics otherwise than the lanes, without a word, and other topics not at all.
func TestPairsAreMadeOfTheBrokersThatLanesRead(t *testing.T) {
	for name, part := range map[string]control.Migration{
		"another cluster":   {SourceCluster: "Shop"},
		"a broker left out": {LeftOut: []string{"broker-a"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := alone(t)
			m := *g.sides.Migration.Load()
			m.SourceCluster, m.LeftOut = part.SourceCluster, part.LeftOut
			g.sides.Clusters[routing.Source].Learn(
				[]rocketmq.Node{{Name: "broker-a", Cluster: "Other"}, {Name: "broker-b", Cluster: "Shop"}},
			)
			masters := [2][]string{g.sides.ReadBy(&m, []string{"broker-a", "broker-b"}), {"broker-t"}}
			pair := func(name string, here, there map[string]int) *routing.Topic {
				one := g.table.Topics.Ensure(name)
				queues := map[string]map[string]rocketmq.TopicConfig{}
				for side, all := range map[string]map[string]int{"here": here, "there": there} {
					queues[side] = map[string]rocketmq.TopicConfig{}
					for broker, n := range all {
						queues[side][broker] = rocketmq.TopicConfig{ReadQueues: n, WriteQueues: n, Perm: 6}
						if side == "here" {
							one.Ensure(broker, n)
						}
					}
				}
				to := replicas.Layout{
					Queues: map[string][]lane.Queue{name: replica.QueuesBy(queues["there"])},
					Vast:   nil,
				}
				g.pairTopic(&m, one, replica.QueuesBy(queues["here"]), to, masters)
				return one
			}
			of := func(one *routing.Topic, broker string, id int64) any {
				if l := one.Queue([]byte(broker), id).Lane(); l != nil {
					return l.Target
				}
				return nil
			}

			retry := pair("%RETRY%billing", map[string]int{"broker-a": 1, "broker-b": 1}, map[string]int{"broker-t": 1})
			assert.Equal(t, lane.Queue{Broker: "broker-t"}, of(retry, "broker-b", 0), "as the lane pairs it")
			assert.Nil(t, of(retry, "broker-a", 0))
			assert.Empty(t, retry.Reason())

			both := pair("orders", map[string]int{"broker-a": 2, "broker-b": 2}, map[string]int{"broker-t": 2})
			assert.Equal(t, lane.Queue{Broker: "broker-t", ID: 1}, of(both, "broker-b", 1))
			assert.Contains(t, both.Reason(), "clients also see queues of topic orders on source broker broker-a")
			registered := map[string]bool{"broker-b": true}
			g.sides.Excuse(&m, registered)
			assert.False(t, both.Lacks([2]map[string]bool{registered, {"broker-t": true}}),
				"nobody waits for it while it is down")
			assert.True(t, both.Lacks([2]map[string]bool{{"broker-a": true}, {"broker-t": true}}))
			assert.Empty(t, pair("clicks", map[string]int{"broker-b": 2}, map[string]int{"broker-t": 2}).Reason())
		})
	}
}
