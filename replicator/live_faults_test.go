package replicator

import (
	"strings"
	"testing"
	"time"

	"rocketshift/internal/rocketmq"
)

func TestLongMessageWithoutRoomForTheStampHarmsNobody(t *testing.T) {
	l := newLive(t, "long-properties", 1)
	lane := l.lanes[0]
	l.fill(20)
	long := rocketmq.Property{Name: "long", Value: strings.Repeat("x", rocketmq.MaxProperties-20)} // brokers take it, but no stamp
	l.single(lane, []byte("too long"), time.Now().UnixMilli(), long)
	l.fill(20)
	c := l.start("one", l.lanes, nil)
	l.until("the lane has its fault and the other lane is copied", c, func(p Progress) bool { return len(p.Faults) == 1 && p.CaughtUp == 1 && p.Copied >= 60 })
	last := c.stop()
	if f := last.Faults[0]; f.Type != PropertiesTooLong || f.From != 20 || f.To != 21 || f.Broker != lane.Source.Broker || last.Copied != 60 {
		t.Fatalf("progress %+v, wanted the fault at offset 20 and 60 copied", last)
	}
	l.wantClean(60)
}

func TestLongTopicThatIsDeletedOrShrinksIsAFault(t *testing.T) {
	wait := func(r *Replicator) { r.timing.pullWait = time.Second } // a pull that waits isn't told
	t.Run("deleted", func(t *testing.T) {
		l := newLive(t, "deleted", 1)
		l.fill(10)
		c := l.start("one", l.lanes, wait)
		l.untilCopied(c)
		addr := l.broker(l.source, l.lanes[0].Source.Broker)
		if err := l.source.Client().DeleteTopic(l.ctx, addr, l.topic); err != nil {
			t.Fatal(err)
		}
		l.until("the lane has its fault", c, func(p Progress) bool { return len(p.Faults) == 1 })
		if last := c.stop(); last.Faults[0].Type != SourceGone || last.CaughtUp != 1 {
			t.Fatalf("progress %+v, wanted %s and the other lane caught up", last, SourceGone)
		}
	})
	t.Run("shrunk", func(t *testing.T) {
		l := newLive(t, "shrunk", 2)
		l.fill(10)
		c := l.start("one", l.lanes, wait)
		l.untilCopied(c)
		l.make(l.source, 1)
		l.until("two lanes have their fault", c, func(p Progress) bool { return len(p.Faults) == 2 })
		for _, f := range c.stop().Faults {
			if f.Type != SourceGone || f.Queue != 1 {
				t.Errorf("fault %+v, wanted %s of queue 1", f, SourceGone)
			}
		}
	})
	t.Run("shrunk on the target", func(t *testing.T) {
		l := newLive(t, "shrunk-target", 1)
		l.make(l.target, 1)
		l.fill(10)
		c := l.start("one", l.lanes, wait)
		l.until("the second lane has its fault", c, func(p Progress) bool { return len(p.Faults) == 1 && p.CaughtUp == 1 })
		if f := c.stop().Faults[0]; f.Type != TargetGone || f.From != 0 || f.To < 1 {
			t.Errorf("fault %+v, wanted %s from offset 0 on", f, TargetGone)
		}
	})
}

func TestLiveSendThatPassesTheOthersLeavesNothing(t *testing.T) {
	l := newLive(t, "passing", 1)
	for name, side := range map[string]*brokers{"source": newBrokers("source", l.source), "target": newBrokers("target", l.target)} {
		found, err := side.Brokers(l.ctx)
		if err != nil {
			t.Fatal(err)
		}
		before, err := side.Client().TopicConfigs(l.ctx, found[0].Addr)
		if err != nil {
			t.Fatal(err)
		}
		if err := side.passSends(l.ctx, found[0].Name, l.group); err != nil {
			t.Errorf("%s %s: %v, wanted a refusal that shows that it passed", name, found[0].Version, err)
		}
		after, err := side.Client().TopicConfigs(l.ctx, found[0].Addr)
		if err != nil || after[passTopic].WriteQueues != before[passTopic].WriteQueues {
			t.Errorf("%s %s: %v; %d queues of %s were %d", name, found[0].Version, err, after[passTopic].WriteQueues, passTopic, before[passTopic].WriteQueues)
		}
		for topic := range after { // other tests make topics with other names
			if _, there := before[topic]; !there && strings.Contains(topic, l.group) {
				t.Errorf("%s %s: there is a topic %s now", name, found[0].Version, topic)
			}
		}
		for id := range before[passTopic].WriteQueues {
			if n, err := side.Client().MaxOffset(l.ctx, found[0].Addr, passTopic, id); n != 0 || err != nil {
				t.Errorf("%s %s: %d messages in %s, %v", name, found[0].Version, n, passTopic, err)
			}
		}
	}
}
