package replicator

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// newRetries is a lane fixture whose lane is a retry topic's.
func newRetries(t *testing.T) *laneFixture {
	b := newLaneFixture(t)
	b.lane.Topic = rocketmq.RetryTopic("billing")
	return b
}

func TestRetriesThatTheGroupHasWorkedOffAreNotCopied(t *testing.T) {
	for name, change := range map[string]func(*laneFixture){"both ways": func(b *laneFixture) { b.options.BothWays = true }, "one way": func(*laneFixture) {}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newRetries(t)
				change(b)
				b.write(100, 100)
				b.source.Groups["billing"] = true
				if err := b.source.Commit(context.Background(), "billing", b.lane.Topic, b.lane.Source, 100); err != nil {
					t.Fatal(err)
				}
				run := b.start()
				run.untilCaughtUp()
				run.end()
				b.wantCopies(0, 0)
				at, err := b.positions().Across(context.Background(), b.lane, 100)
				if err != nil || at.Target != 0 || !at.Exact {
					t.Errorf("%v: position 100 is %+v, wanted 0, exact", err, at)
				}
				b.write(20, 20)
				b.start().untilCaughtUp() // a lane that has copied nothing begins again without a fault
				b.wantCopies(100, 120)
				if b.target.Sends != 20 {
					t.Errorf("%d sends of 20 messages, wanted one by one", b.target.Sends)
				}
				at, err = b.positions().Across(context.Background(), b.lane, 110)
				if err != nil || at.Target != 10 || !at.Exact {
					t.Errorf("%v: position 110 is %+v, wanted 10, exact", err, at)
				}
			})
		})
	}
}

func TestRetryThatBecomesADeadLetterIsAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRetries(t)
		b.write(3, 3)
		b.target.OnSend = func(_ int, batch rocketmq.BatchRequest) (bool, error) {
			if string(batch.Messages[0].Body) != "body 1" {
				return true, nil
			}
			batch.Topic = rocketmq.DLQTopic("billing")
			b.target.AppendLocked(batch.Topic, lane.Queue{Broker: "broker-x", ID: batch.Queue},
				native(nil)) // so that it lies where the retry would
			b.target.Store("broker-x", batch)
			return false, nil
		}
		run := b.start()
		fault := run.untilFault(lane.TargetRefused, 1, 2)
		if !strings.Contains(fault.Cause, "%DLQ%billing") {
			t.Errorf("cause %q doesn't name the dead-letter topic", fault.Cause)
		}
		if err := run.replicator.Answer(lane.Answer{Topic: b.lane.Topic, Broker: b.lane.Source.Broker, Queue: b.lane.Source.ID, Action: lane.Skip, From: 1, To: 2}); err != nil {
			t.Fatal(err)
		}
		run.untilCaughtUp()
		if got := b.copies(); len(got) != 2 || got[0] != 0 || got[1] != 2 {
			t.Errorf("copies of %v, wanted 0 and 2", got)
		}
	})
}

func TestRetryThatIsAcknowledgedAndNotThereIsLookedForBeforeItIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newRetries(t)
		b.write(3, 3)
		b.target.OnSend = func(n int, _ rocketmq.BatchRequest) (bool, error) {
			if n == 1 {
				return false, nil // as if it were shown late
			}
			return true, nil
		}
		run := b.start(func(r *Replicator) { r.timing.sendTimeout /= 10 })
		run.untilCaughtUp()
		b.wantCopies(0, 3)
		if b.target.Sends != 4 || b.target.Passes == 0 {
			t.Errorf("%d sends, %d looks at what was on its way; wanted 4 and some", b.target.Sends, b.target.Passes)
		}
	})
}

func TestOfARetryOnlyWhatBrokersWouldActOnMayDiffer(t *testing.T) {
	m := remoting.Message{
		Topic:      rocketmq.RetryTopic("billing"),
		Body:       []byte("b"),
		Properties: []byte("DELAY\x013\x02TRAN_MSG\x01true\x02KEYS\x01k\x02"),
	}
	copied := m
	copied.Properties = remoting.Inert(m.Properties)
	if string(copied.Properties) != "KEYS\x01k\x02" {
		t.Errorf("inert properties %q", copied.Properties)
	}
	if difference, same := replica.SameMessage(&m, &copied); !same {
		t.Error(difference)
	}
	m.Topic = "orders"
	for _, inert := range []bool{false, true} { // sent in a batch, or alone
		if _, _, same := replica.CompareContent(&m, &copied, 0, inert); same != inert {
			t.Errorf("in other topics copies in batches have all properties: inert %v, same %v", inert, same)
		}
	}
	if _, err := (*rocketmq.Client)(nil).SendAlone(context.Background(), "", rocketmq.BatchRequest{Messages: []rocketmq.BatchMessage{{Properties: make([]byte, 32_700)}}}); !errors.Is(
		err,
		rocketmq.ErrPropertiesTooLong,
	) {
		t.Errorf("properties that are too long: %v", err)
	}
}
