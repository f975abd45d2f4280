package replicator

import (
	"fmt"
	"strings"
	"testing"
	"time"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/replica"
)

// commits is an application's answer to its half messages.
type commits struct{}

func (commits) ExecuteLocalTransaction(*primitive.Message) primitive.LocalTransactionState {
	return primitive.CommitMessageState
}

func (commits) CheckLocalTransaction(*primitive.MessageExt) primitive.LocalTransactionState {
	return primitive.CommitMessageState
}

// What stock producers send in more than one step: brokers keep it elsewhere first, and put it into
// its queue later.
func TestLiveDelayedAndTransactionalMessagesOfStockProducersAreCopied(t *testing.T) {
	l := newLive(t, "two-steps", 1)
	c := l.start("one", l.lanes, nil)
	rlog.SetLogLevel("fatal") // what the client complains of, the test tells by itself
	p, err := stock.NewTransactionProducer(
		commits{},
		producer.WithNsResolver(primitive.NewPassthroughResolver(l.source.NameServers())),
		producer.WithGroupName(
			l.topic,
		),
		producer.WithInstanceName(l.topic),
		producer.WithRetry(5),
		producer.WithSendMsgTimeout(time.Minute),
	)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Shutdown() })
	const each = 5
	for n := range each {
		sent, err := p.SendMessageInTransaction(l.ctx,
			primitive.NewMessage(l.topic, fmt.Appendf(nil, "transaction %d", n)).WithTag("a").WithKeys([]string{"k"}))
		if err != nil || sent.State != primitive.CommitMessageState {
			t.Fatalf("transaction: %+v, %v", sent, err)
		}
	}
	for _, lane := range l.lanes {
		l.single(lane, []byte("delayed"), time.Now().UnixMilli(),
			remoting.Property{Name: remoting.PropDelay, Value: "1"})
	}
	// A slow broker may ask for a transaction's end again, and then puts the message into its queue
	// twice.
	complete := func(kinds map[string]int) bool { return len(kinds) == each+1 && kinds["delayed"] == len(l.lanes) }
	l.waitFor("all have surfaced on the source", func() bool { return complete(l.kinds(l.source)) },
		func() any { return l.kinds(l.source) })
	l.untilCopied(c)
	c.stop()
	l.waitFor("all are on the target", func() bool { return complete(l.kinds(l.target)) },
		func() any { return l.kinds(l.target) })
	sum := int64(0)
	for _, n := range l.kinds(l.target) {
		sum += int64(n)
	}
	l.wantClean(sum)
	for _, lane := range l.lanes {
		at := replica.Reader{
			Side:  replica.NewBrokers("target", l.target),
			Group: l.group,
			Topic: l.topic,
			Queue: lane.Target,
		}
		_, end, err := at.Bounds(l.ctx)
		if err != nil {
			t.Fatal(err)
		}
		err = at.Each(l.ctx, 0, end, func(m replica.Message) bool {
			for name, body := range map[string]string{remoting.PropDelay: "delayed", remoting.PropTranMsg: "transaction"} {
				if _, found := remoting.PropertyValue(m.Properties, name); found != strings.HasPrefix(
					string(m.Body), body,
				) {
					t.Errorf("%s: property %s there: %v", m.Body, name, found)
				}
			}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// kinds counts the bodies that a side holds.
func (l *live) kinds(side *rocketmq.Cluster) map[string]int {
	l.Helper()
	kinds := map[string]int{}
	for _, lane := range l.lanes {
		q := lane.Source
		if side == l.target {
			q = lane.Target
		}
		for _, body := range l.bodies(side, q) {
			kinds[body]++
		}
	}
	return kinds
}
