package replicator

import (
	"strings"
	"testing"
	"time"

	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

func TestLongMessageWithoutRoomForTheStampHarmsNobody(t *testing.T) {
	l := newLive(t, "long-properties", 1)
	of := l.lanes[0]
	l.fill(20)
	long := remoting.Property{
		Name:  "long",
		Value: strings.Repeat("x", remoting.MaxProperties-20),
	} // brokers take it, but no stamp
	l.single(of, []byte("too long"), time.Now().UnixMilli(), long)
	l.fill(20)
	c := l.start("one", l.lanes, nil)
	l.until("the lane has its fault and the other lane is copied", c,
		func(p lane.Progress) bool { return len(p.Faults) == 1 && p.CaughtUp == 1 && p.Copied >= 60 })
	last := c.stop()
	if f := last.Faults[0]; f.Type != lane.PropertiesTooLong || f.From != 20 || f.To != 21 ||
		f.Broker != of.Source.Broker ||
		last.Copied != 60 {
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
		l.until("the lane has its fault", c, func(p lane.Progress) bool { return len(p.Faults) == 1 })
		if last := c.stop(); last.Faults[0].Type != lane.SourceGone || last.CaughtUp != 1 {
			t.Fatalf("progress %+v, wanted %s and the other lane caught up", last, lane.SourceGone)
		}
	})
	t.Run("shrunk", func(t *testing.T) {
		l := newLive(t, "shrunk", 2)
		l.fill(10)
		c := l.start("one", l.lanes, wait)
		l.untilCopied(c)
		l.make(l.source, 1)
		l.until("two lanes have their fault", c, func(p lane.Progress) bool { return len(p.Faults) == 2 })
		for _, f := range c.stop().Faults {
			if f.Type != lane.SourceGone || f.Queue != 1 {
				t.Errorf("fault %+v, wanted %s of queue 1", f, lane.SourceGone)
			}
		}
	})
	t.Run("shrunk on the target", func(t *testing.T) {
		l := newLive(t, "shrunk-target", 1)
		l.make(l.target, 1)
		l.fill(10)
		c := l.start("one", l.lanes, wait)
		l.until("the second lane has its fault", c,
			func(p lane.Progress) bool { return len(p.Faults) == 1 && p.CaughtUp == 1 })
		if f := c.stop().Faults[0]; f.Type != lane.TargetGone || f.From != 0 || f.To < 1 {
			t.Errorf("fault %+v, wanted %s from offset 0 on", f, lane.TargetGone)
		}
	})
}

func TestLiveSendThatPassesTheOthersLeavesNothing(t *testing.T) {
	l := newLive(t, "passing", 1)
	for name, side := range map[string]*replica.Brokers{"source": replica.NewBrokers("source", l.source), "target": replica.NewBrokers("target", l.target)} {
		found, err := side.Brokers(l.ctx)
		if err != nil {
			t.Fatal(err)
		}
		before, err := side.Client().TopicConfigs(l.ctx, found[0].Addr)
		if err != nil {
			t.Fatal(err)
		}
		if err := side.PassSends(l.ctx, found[0].Name, l.group); err != nil {
			t.Errorf("%s %s: %v, wanted a refusal that shows that it passed", name, found[0].Version, err)
		}
		after, err := side.Client().TopicConfigs(l.ctx, found[0].Addr)
		if err != nil || after[replica.PassTopic].WriteQueues != before[replica.PassTopic].WriteQueues {
			t.Errorf("%s %s: %v; %d queues of %s were %d", name, found[0].Version, err,
				after[replica.PassTopic].WriteQueues, replica.PassTopic, before[replica.PassTopic].WriteQueues)
		}
		for topic := range after { // other tests make topics with other names
			if _, there := before[topic]; !there && strings.Contains(topic, l.group) {
				t.Errorf("%s %s: there is a topic %s now", name, found[0].Version, topic)
			}
		}
		for id := range before[replica.PassTopic].WriteQueues {
			if n, err := side.Client().MaxOffset(l.ctx, found[0].Addr, replica.PassTopic, id); n != 0 || err != nil {
				t.Errorf("%s %s: %d messages in %s, %v", name, found[0].Version, n, replica.PassTopic, err)
			}
		}
	}
}
