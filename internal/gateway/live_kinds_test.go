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

	"rocketshift/internal/gateway/control"
)

// decider decides on transactions as their bodies say, and tells brokers at once, or when they ask.
// It answers what it has decided, as applications do.
type decider struct {
	mu      sync.Mutex
	decided map[string]primitive.LocalTransactionState // by body: what is answered from then on
	ends    ledger
}

func (d *decider) ExecuteLocalTransaction(m *primitive.Message) primitive.LocalTransactionState {
	body := string(m.Body)
	decision, now := primitive.CommitMessageState, primitive.CommitMessageState
	switch {
	case strings.HasPrefix(body, "rollback"):
		decision, now = primitive.RollbackMessageState, primitive.RollbackMessageState
	case strings.HasPrefix(body, "late"):
		now = primitive.UnknowState
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.decided[body] = decision
	d.told(body, false, now)
	return now
}

func (d *decider) CheckLocalTransaction(m *primitive.MessageExt) primitive.LocalTransactionState {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, known := d.decided[string(m.Body)]
	if !known { // the send isn't answered yet
		now = primitive.UnknowState
	}
	d.told(string(m.Body), true, now)
	return now
}

// giveUp takes note that a send wasn't answered: nothing was done, nor will be.
func (d *decider) giveUp(body string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.decided[body] = primitive.RollbackMessageState
}

func (d *decider) told(body string, asked bool, is primitive.LocalTransactionState) {
	words := append(strings.Fields(body), "0") // key, number, and the attempt if it isn't the first
	d.ends.note(message{key: words[0]}, words[2], asked, is == primitive.CommitMessageState,
		is == primitive.RollbackMessageState)
}

// deciding starts a stock producer of transactions.
func (r *rig) deciding(group string) (stock.TransactionProducer, *decider) {
	r.Helper()
	d := &decider{decided: map[string]primitive.LocalTransactionState{}, ends: ledger{}}
	p, err := stock.NewTransactionProducer(d, producer.WithGroupName(group), producer.WithInstanceName(group),
		producer.WithRetry(0), producer.WithNsResolver(primitive.NewPassthroughResolver([]string{r.entrance})))
	require.NoError(r, err)
	require.NoError(r, p.Start())
	r.Cleanup(func() { _ = p.Shutdown() })
	return p, d
}

// mixture is messages of all kinds that client-go sends: transactions, delayed ones, and ones that
// readers fail at once.
type mixture struct {
	*readers
	topic        string
	transactions stock.TransactionProducer
	decided      *decider
	plain        stock.Producer
	sends        *load           // the attempts to send, one message a key
	want         map[string]bool // by key: whether it is to be delivered
	failed       map[string]bool // by key; readers.mu guards it
}

func (rs *readers) mixture(topic string) *mixture {
	rs.Helper()
	k := &mixture{
		readers: rs,
		topic:   topic,
		sends:   rs.newLoad(topic, "all kinds"),
		want:    map[string]bool{},
		failed:  map[string]bool{},
	}
	rs.mu.Lock()
	rs.fail = func(key string, _ int, times int32) bool { // every failing one fails once
		if strings.HasPrefix(key, "fail") && times == 0 {
			k.failed[key] = true
			return true
		}
		return false
	}
	rs.mu.Unlock()
	k.transactions, k.decided = rs.deciding(rs.nameOf("deciding"))
	var err error
	k.plain, err = stock.NewProducer(producer.WithGroupName(rs.nameOf("plain")),
		producer.WithInstanceName(rs.nameOf("plain")), producer.WithRetry(0),
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
		for _, kind := range []string{"commit", "rollback", "late", "fail", "delay"} {
			key := fmt.Sprint(kind, round, i)
			k.persist(kind, key)
			k.want[key] = kind != "rollback"
		}
	}
}

// persist sends a message of a kind until an attempt is acknowledged.
func (k *mixture) persist(kind, key string) {
	k.Helper()
	number := 0
	k.await("a broker takes "+key, func() string {
		begin, body := time.Now(), message{key: key}.body(number)
		m := primitive.NewMessage(k.topic, []byte(body))
		var err error
		switch kind {
		case "commit", "rollback", "late":
			if _, err = k.transactions.SendMessageInTransaction(context.Background(), m); err != nil {
				k.decided.giveUp(body)
			}
		case "delay":
			m.WithDelayTimeLevel(2) // five seconds
			fallthrough
		default:
			_, err = k.plain.SendSync(context.Background(), m)
		}
		if err != nil {
			k.sends.fail(attempt{message{key: key}, fmt.Sprint(number), begin, time.Now()}, err.Error())
			number++
			return err.Error()
		}
		k.sends.ack(key, 0, time.Since(begin))
		return ""
	})
}

func (k *mixture) untilDelivered() {
	k.Helper()
	k.await("everything is delivered", func() (missing string) {
		for key, delivered := range k.want {
			if delivered && len(k.times(message{key: key})) == 0 {
				missing += key + " "
			}
		}
		return missing
	})
}

// deliveredOnce wants each attempt to send a message once at most, none that was rolled back, and
// so many messages that failed before. A transaction may come as often as its client has sent
// commits, see ends.
func (k *mixture) deliveredOnce(failed int) {
	k.Helper()
	k.sends.fine()
	k.decided.mu.Lock()
	defer k.decided.mu.Unlock()
	e := k.decided.ends.judge(k.times)
	assert.Zero(k, e.wrong(), "%+v", e)
	for key := range k.want {
		m := message{key: key}
		if k.decided.ends[m] != nil {
			continue
		}
		for attempt, times := range k.times(m) {
			assert.Equal(k, 1, times, "%s, attempt %s", m, attempt)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	assert.Len(k, k.failed, failed)
	k.Logf("client-go's transactions: %+v; %s", e, k.sends)
}

// Transactions, delayed messages and messages that fail cross a move: each is delivered once to a
// group that reads on either side.
func TestLiveTransactionsDelaysAndRetriesCrossMoves(t *testing.T) {
	r := newRig(t, "kinds")
	topic, group := r.topic("kinds", 2), r.group("readers")
	r.replicate()
	r.open()
	k := r.consume(group, topic, 1, false).mixture(topic)
	k.send("-source-", 4)
	r.move(control.Move{Kind: control.KindSide, To: "target", Groups: []string{group}})
	r.move(control.Move{Kind: control.KindHome, To: "target", Topics: []string{topic}})
	k.send("-target-", 4)
	r.move(control.Move{Kind: control.KindHome, To: "source", Topics: []string{topic}})
	r.move(control.Move{Kind: control.KindSide, To: "source", Groups: []string{group}})
	k.send("-again-", 4)
	k.untilDelivered()
	k.deliveredOnce(12)
}
