package gateway

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/javaclient"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
)

// A broker of the source comes back, and the members' heartbeats make their group's retry topic
// there, of which the target has no pair. The group moves there and back all the same, while
// messages fail, and none is lost.
func TestLongAGroupMovesWhoseRetryTopicHasGrown(t *testing.T) {
	t.Parallel()
	from := labtest.OwnCluster(t, lab.ClusterSpec{Version: "4.9.7", Brokers: 2})
	r := newRigBetween(t, "grown", from, labtest.Cluster(t, "5.3.3"))
	require.NoError(t, from.KillBroker("broker-b"))
	r.eventually("the second broker is away", func() bool {
		r.source.Forget()
		return len(r.brokers(r.source)) == 1
	})
	orders, group := r.topic("orders", 2), r.group("billing")
	r.replicate()
	g := r.open()
	rs := r.newReaders(group, 2)
	join := func(name string) {
		rs.javaJoin(
			javaclient.Consumer{
				Version:   "4.9.7",
				Topic:     orders,
				Mode:      javaclient.Concurrent,
				Instance:  name,
				FailEvery: 5,
			},
		)
	}
	join("one")
	load := r.produce(orders, "key", 8, 20*time.Millisecond)
	r.untilMore(100, load, rs)
	require.NoError(t, from.StartBroker(r.ctx, "broker-b"))
	join("two") // which finds the second broker
	retry := rocketmq.RetryTopic(group)
	r.await("the retry topic has grown, and the gateway sees it", func() string {
		if is := g.table.Topics.Get([]byte(retry)); is != nil && len(is.All()) == 2 {
			return ""
		}
		return "a second queue"
	})
	side := func() control.GroupSide {
		for _, one := range g.State().Groups {
			if one.Group == group {
				return one
			}
		}
		return control.GroupSide{}
	}
	for range 3 {
		was := r.move(control.Move{Kind: control.KindSide, To: "target", Groups: []string{group}})
		assert.Empty(t, was.Inexact)
		is := side()
		assert.Equal(t, []int{1, 3}, []int{is.Source, is.Target}, "what has no pair stays on the source: %+v", is)
		r.untilMore(200, load, rs)
		r.move(control.Move{Kind: control.KindHome, To: "target", Topics: []string{orders}})
		r.untilMore(200, load, rs)
		r.move(control.Move{Kind: control.KindHome, To: "source", Topics: []string{orders}})
		r.move(control.Move{Kind: control.KindSide, To: "source", Groups: []string{group}})
		r.untilMore(200, load, rs)
	}
	load.end()
	rs.untilRead(load)
	v := rs.judge(load)
	r.sentWell(rs, load)
	t.Log(load, fmt.Sprintf("%+v", v))
	assert.Zero(t, v.lost)
}
