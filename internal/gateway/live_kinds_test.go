package gateway

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// decider ends transactions as their bodies say: at once, or when the broker asks.
type decider struct {
	mu      sync.Mutex
	checked map[string]int // by body: how often brokers asked
}

func (d *decider) ExecuteLocalTransaction(m *primitive.Message) primitive.LocalTransactionState {
	switch {
	case strings.Contains(string(m.Body), "commit"):
		return primitive.CommitMessageState
	case strings.Contains(string(m.Body), "rollback"):
		return primitive.RollbackMessageState
	}
	return primitive.UnknowState
}

func (d *decider) CheckLocalTransaction(m *primitive.MessageExt) primitive.LocalTransactionState {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.checked[string(m.Body)]++
	return primitive.CommitMessageState
}

// deciding starts a stock producer of transactions.
func (r *rig) deciding(group string) (stock.TransactionProducer, *decider) {
	r.Helper()
	d := &decider{checked: map[string]int{}}
	p, err := stock.NewTransactionProducer(d, producer.WithGroupName(group), producer.WithInstanceName(group),
		producer.WithNsResolver(primitive.NewPassthroughResolver([]string{r.entrance})))
	require.NoError(r, err)
	require.NoError(r, p.Start())
	r.Cleanup(func() { _ = p.Shutdown() })
	return p, d
}

// mixture is messages of all kinds that client-go sends: transactions, delayed ones, and ones that readers fail at once.
type mixture struct {
	*readers
	topic        string
	transactions stock.TransactionProducer
	decided      *decider
	plain        stock.Producer
	want         map[string]bool // by key: whether it is to be delivered
	failed       map[string]bool // by key; readers.mu guards it
}

func (rs *readers) mixture(topic string) *mixture {
	rs.Helper()
	k := &mixture{readers: rs, topic: topic, want: map[string]bool{}, failed: map[string]bool{}}
	rs.mu.Lock()
	rs.fail = func(key string, _ int, times int32) bool { // every failing one fails once
		if strings.HasPrefix(key, "fail") && times == 0 {
			k.failed[key] = true
			return true
		}
		return false
	}
	rs.mu.Unlock()
	k.transactions, k.decided = rs.deciding("kinds-producers")
	var err error
	k.plain, err = stock.NewProducer(producer.WithGroupName("kinds-plain"), producer.WithInstanceName("kinds-plain"),
		producer.WithNsResolver(primitive.NewPassthroughResolver([]string{rs.entrance})))
	require.NoError(rs, err)
	require.NoError(rs, k.plain.Start())
	rs.Cleanup(func() { _ = k.plain.Shutdown() })
	return k
}

// send sends so many messages of each kind.
func (k *mixture) send(round string, each int) {
	k.Helper()
	for i := range each {
		for _, kind := range []string{"commit", "rollback", "late"} {
			key := fmt.Sprint(kind, round, i)
			_, err := k.transactions.SendMessageInTransaction(context.Background(), primitive.NewMessage(k.topic, []byte(key+" 0")))
			require.NoError(k, err, key)
			k.want[key] = kind != "rollback"
		}
		for _, kind := range []string{"fail", "delay"} {
			key := fmt.Sprint(kind, round, i)
			m := primitive.NewMessage(k.topic, []byte(key+" 0"))
			if kind == "delay" {
				m.WithDelayTimeLevel(2) // five seconds
			}
			_, err := k.plain.SendSync(context.Background(), m)
			require.NoError(k, err, key)
			k.want[key] = true
		}
	}
}

func (k *mixture) untilDelivered() {
	k.Helper()
	k.eventually("everything is delivered", func() bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		for key, delivered := range k.want {
			if delivered && len(k.seen[key]) == 0 {
				return false
			}
		}
		return true
	})
}

// deliveredOnce wants each message once, or not at all, and so many that failed before.
func (k *mixture) deliveredOnce(failed int) {
	k.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.decided.mu.Lock()
	defer k.decided.mu.Unlock()
	for key, delivered := range k.want {
		times := 0
		if delivered {
			times = 1
		}
		checks := k.decided.checked[key+" 0"]
		if checks > 1 {
			times = len(k.seen[key]) // a 5.3.3 broker may commit twice what it has asked for twice, with and without a gateway
		}
		assert.Len(k, k.seen[key], times, "%s, asked for %d times", key, checks)
	}
	assert.Len(k, k.failed, failed)
	k.Logf("brokers asked for %d of client-go's transactions", len(k.decided.checked))
}

// Transactions, delayed messages and messages that fail cross a move: each is delivered once to a group that reads on either side.
func TestLiveTransactionsDelaysAndRetriesCrossMoves(t *testing.T) {
	r := newRig(t, "kinds")
	topic, group := r.topic("kinds", 2), r.group("kinds-readers")
	r.replicate()
	r.open()
	k := r.consume(group, topic, 1, false).mixture(topic)
	k.send("-source-", 4)
	r.move(Move{Kind: KindSide, To: "target", Groups: []string{group}})
	r.move(Move{Kind: KindHome, To: "target", Topics: []string{topic}})
	k.send("-target-", 4)
	r.move(Move{Kind: KindHome, To: "source", Topics: []string{topic}})
	r.move(Move{Kind: KindSide, To: "source", Groups: []string{group}})
	k.send("-again-", 4)
	k.untilDelivered()
	k.deliveredOnce(12)
}
