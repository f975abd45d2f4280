package gateway

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

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

// Transactions, delayed messages and messages that fail cross a move: each is delivered once to a group that reads on either side.
func TestLiveTransactionsDelaysAndRetriesCrossMoves(t *testing.T) {
	r := newRig(t, "kinds")
	topic, group := r.topic("kinds", 2), r.group("kinds-readers")
	r.replicate()
	r.open()
	readers := r.consume(group, topic, 1, false)
	failed := map[string]bool{}
	readers.fail = func(key string, _ int, times int32) bool { // every failing one fails once
		if strings.HasPrefix(key, "fail") && times == 0 {
			failed[key] = true
			return true
		}
		return false
	}
	d := &decider{checked: map[string]int{}}
	p, err := stock.NewTransactionProducer(d, producer.WithGroupName("kinds-producers"), producer.WithInstanceName("kinds-transactions"),
		producer.WithNsResolver(primitive.NewPassthroughResolver([]string{r.entrance})))
	require.NoError(t, err)
	require.NoError(t, p.Start())
	t.Cleanup(func() { _ = p.Shutdown() })
	plain, err := stock.NewProducer(producer.WithGroupName("kinds-plain"), producer.WithInstanceName("kinds-plain"),
		producer.WithNsResolver(primitive.NewPassthroughResolver([]string{r.entrance})))
	require.NoError(t, err)
	require.NoError(t, plain.Start())
	t.Cleanup(func() { _ = plain.Shutdown() })

	want := map[string]bool{}
	send := func(round string) {
		for i := range 4 {
			for _, kind := range []string{"commit", "rollback", "late"} {
				key := fmt.Sprint(kind, round, i)
				_, err := p.SendMessageInTransaction(context.Background(), primitive.NewMessage(topic, []byte(key+" 0")))
				require.NoError(t, err, key)
				want[key] = kind != "rollback"
			}
			for _, kind := range []string{"fail", "delay"} {
				key := fmt.Sprint(kind, round, i)
				m := primitive.NewMessage(topic, []byte(key+" 0"))
				if kind == "delay" {
					m.WithDelayTimeLevel(2) // five seconds
				}
				_, err := plain.SendSync(context.Background(), m)
				require.NoError(t, err, key)
				want[key] = true
			}
		}
	}
	move := func(kind, to string) {
		m := Move{Kind: kind, To: to, Groups: []string{group}}
		if kind == KindHome {
			m = Move{Kind: kind, To: to, Topics: []string{topic}}
		}
		r.move(m)
	}
	send("-source-")
	move(KindSide, "target")
	move(KindHome, "target")
	send("-target-")
	move(KindHome, "source")
	move(KindSide, "source")
	send("-again-")
	r.eventually("everything is delivered", func() bool {
		readers.mu.Lock()
		defer readers.mu.Unlock()
		for key, delivered := range want {
			if delivered && len(readers.seen[key]) == 0 {
				return false
			}
		}
		return true
	})
	readers.mu.Lock()
	defer readers.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, delivered := range want {
		times := 0
		if delivered {
			times = 1
		}
		if checks := d.checked[key+" 0"]; checks > 1 {
			times = len(readers.seen[key]) // a 5.3.3 broker may commit twice what it has asked for twice, with and without a gateway
		}
		assert.Len(t, readers.seen[key], times, "%s, asked for %d times", key, d.checked[key+" 0"])
	}
	assert.Len(t, failed, 12)
	t.Logf("brokers asked for %d transactions; %v", len(d.checked), time.Now())
}
