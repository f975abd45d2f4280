package gateway

import (
	"context"
	"testing"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// updateBrokerConfig is UPDATE_BROKER_CONFIG (RequestCode, 4.5.2 to 5.3.3).
const updateBrokerConfig = 25

// configureAll changes a line of all brokers' configuration while they run.
func (r *rig) configureAll(c *rocketmq.Cluster, name, value string) {
	r.Helper()
	for _, b := range r.brokers(c) {
		got, err := c.Client().Call(r.ctx, b.Addr, &remoting.Command{
			Code: updateBrokerConfig, Body: []byte(name + "=" + value + "\n"),
		})
		require.NoError(r, err)
		require.Equal(r, remoting.Success, got.Code, got.Remark)
	}
}

// A group whose filter the target refuses stays where it is, whoever asks for the move, and moves
// when the target takes it. So do the homes of a topic with transactions, which the target rejects.
func TestLiveWhatTheTargetRefusesDoesNotMove(t *testing.T) {
	t.Parallel()
	from := labtest.OwnCluster(t, lab.ClusterSpec{
		Name:    "Filters",
		Version: "4.9.7",
		Brokers: 1,
		Config:  map[string]string{"enablePropertyFilter": "true"},
	})
	to := labtest.OwnCluster(
		t,
		lab.ClusterSpec{Name: "Refuses", Version: "5.3.3", Brokers: 1, Config: map[string]string{
			"enablePropertyFilter": "false", "rejectTransactionMessage": "true",
		}},
	)
	r := newRigBetween(t, "tried", from, to)
	orders, group := r.topic("orders", 2), r.group("billing")
	r.replicate()
	g := r.open()
	got := make(chan string, 100)
	c, err := stock.NewPushConsumer(consumer.WithGroupName(group), consumer.WithInstance(group),
		consumer.WithNsResolver(primitive.NewPassthroughResolver([]string{r.entrance})))
	require.NoError(t, err)
	filter := consumer.MessageSelector{Type: consumer.SQL92, Expression: "a BETWEEN 2 AND 9"}
	require.NoError(
		t,
		c.Subscribe(
			orders,
			filter,
			func(_ context.Context, all ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
				for _, m := range all {
					got <- string(m.Body)
				}
				return consumer.ConsumeSuccess, nil
			},
		),
	)
	require.NoError(t, c.Start())
	t.Cleanup(func() { _ = c.Shutdown() })
	producer, _ := r.deciding(r.nameOf("deciding"))
	send := func(body, a string) {
		r.await("a broker takes "+body, func() string {
			m := primitive.NewMessage(orders, []byte("commit "+body+" 0"))
			m.WithProperty("a", a)
			_, err := producer.SendMessageInTransaction(r.ctx, m)
			return textOf(err)
		})
	}
	r.await("the member reads on the source", func() string {
		send("first", "3")
		select {
		case <-got:
			return ""
		default:
			return "nothing has come"
		}
	})
	side := control.Move{
		ID:     "1",
		Kind:   control.KindSide,
		To:     "target",
		Groups: []string{group},
		Budget: control.Duration(control.MostBudget),
	}
	_, err = g.Move(r.ctx, side)
	require.ErrorIs(t, err, control.ErrRefused)
	for _, part := range []string{
		"subscribes to topic " + orders + ` by SQL92 "a BETWEEN 2 AND 9": target broker broker-a: code 1: `,
		"does not support consumer to filter message by SQL92", "write enablePropertyFilter=true",
	} {
		assert.ErrorContains(t, err, part)
	}
	homes := control.Move{
		ID:     "2",
		Kind:   control.KindHome,
		To:     "target",
		Topics: []string{orders},
		Budget: control.Duration(control.MostBudget),
	}
	_, err = g.Move(r.ctx, homes)
	require.ErrorIs(t, err, control.ErrRefused)
	assert.ErrorContains(t, err, "takes no transactions, which producers send: write rejectTransactionMessage=false")

	r.configureAll(r.target, "enablePropertyFilter", "true")
	r.configureAll(r.target, "rejectTransactionMessage", "false")
	r.eventually("the gateway has seen it", func() bool {
		all := g.sides.Limits.Load()
		return all != nil && !(*all)["broker-a"].NoTransactions
	})
	r.move(control.Move{Kind: control.KindSide, To: "target", Groups: []string{group}})
	r.move(control.Move{Kind: control.KindHome, To: "target", Topics: []string{orders}})
	for len(got) > 0 {
		<-got
	}
	send("second", "5")
	r.await("the member reads on the target", func() string {
		select {
		case body := <-got:
			if body == "commit second 0" {
				return ""
			}
			return "still " + body
		default:
			return "nothing has come"
		}
	})
}
