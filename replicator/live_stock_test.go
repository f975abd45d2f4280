package replicator

import (
	"testing"
	"time"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"

	"rocketshift/internal/rocketmq"
)

// commits is an application's answer to its half messages.
type commits struct{}

func (commits) ExecuteLocalTransaction(*primitive.Message) primitive.LocalTransactionState {
	return primitive.CommitMessageState
}

func (commits) CheckLocalTransaction(*primitive.MessageExt) primitive.LocalTransactionState {
	return primitive.CommitMessageState
}

// What stock producers send in more than one step: brokers keep it elsewhere first, and put it into its queue later.
func TestLiveDelayedAndTransactionalMessagesOfStockProducersAreCopied(t *testing.T) {
	l := newLive(t, "two-steps", 1)
	c := l.start("one", l.lanes, nil)
	rlog.SetLogLevel("error")
	p, err := stock.NewTransactionProducer(commits{}, producer.WithNsResolver(primitive.NewPassthroughResolver(l.source.NameServers())),
		producer.WithGroupName("two-steps-producer"), producer.WithInstanceName(l.topic), producer.WithRetry(5), producer.WithSendMsgTimeout(10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Shutdown() })
	const each = 5
	for range each {
		sent, err := p.SendMessageInTransaction(l.ctx, primitive.NewMessage(l.topic, []byte("transaction")).WithTag("a").WithKeys([]string{"k"}))
		if err != nil || sent.State != primitive.CommitMessageState {
			t.Fatalf("transaction: %+v, %v", sent, err)
		}
	}
	for _, lane := range l.lanes {
		l.single(lane, []byte("delayed"), time.Now().UnixMilli(), rocketmq.Property{Name: rocketmq.PropDelay, Value: "1"})
	}
	want := int64(each + len(l.lanes))
	l.until("all have surfaced on the source and are copied", c, func(p Progress) bool { return p.Copied == want })
	l.untilCopied(c)
	c.stop()
	l.wantClean(want)
	kinds := map[string]int64{}
	for _, lane := range l.lanes {
		at := queue{side: newBrokers("target", l.target), group: l.group, topic: l.topic, Queue: lane.Target}
		_, end, err := at.bounds(l.ctx)
		if err != nil {
			t.Fatal(err)
		}
		err = at.each(l.ctx, 0, end, func(m placed) bool {
			kinds[string(m.Body)]++
			for name, body := range map[string]string{rocketmq.PropDelay: "delayed", rocketmq.PropTranMsg: "transaction"} {
				if _, found := rocketmq.PropertyValue(m.Properties, name); found != (string(m.Body) == body) {
					t.Errorf("%s: property %s there: %v", m.Body, name, found)
				}
			}
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if kinds["transaction"] != each || kinds["delayed"] != int64(len(l.lanes)) {
		t.Errorf("the target holds %v", kinds)
	}
}
