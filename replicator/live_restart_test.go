package replicator

import (
	"testing"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/verify"
)

func TestLongTopicThatIsMadeAnewIsCopiedAgainOnAnswer(t *testing.T) {
	l := newLive(t, "made-anew", 1)
	l.fill(100)
	quick := func(r *Replicator) { r.timing.pullWait, r.timing.patience = time.Second, time.Second }
	c := l.start("one", l.lanes, quick)
	l.untilCopied(c)
	for _, lane := range l.lanes {
		if err := l.source.Client().DeleteTopic(l.ctx, l.broker(l.source, lane.Source.Broker), l.topic); err != nil {
			t.Fatal(err)
		}
	}
	l.until("both lanes miss their topic", c, func(p lane.Progress) bool { return len(p.Faults) == 2 })
	c.stop()
	l.make(l.source, 1)
	l.fill(40)
	c = l.start("one", l.lanes, quick)
	l.until("both lanes see another topic", c, func(p lane.Progress) bool {
		return len(p.Faults) == 2 && p.Faults[0].Type == lane.SourceReset && p.Faults[1].Type == lane.SourceReset
	})
	c.stop()
	var answers []lane.Answer
	for _, of := range l.lanes {
		answers = append(answers,
			lane.Answer{Topic: of.Topic, Broker: of.Source.Broker, Queue: of.Source.ID, Action: lane.Restart})
	}
	for _, more := range []int{0, 25} { // the second run is told of the answers too, and begins nothing anew
		l.fill(more)
		c = l.start("one", l.lanes, func(r *Replicator) { quick(r); r.options.Answers = answers })
		l.untilCopied(c)
		c.stop()
	}
	for _, lane := range l.lanes {
		report, err := verify.Lane(l.ctx, l.source, l.target, lane,
			verify.Options{Names: l.names(), Answers: answers}, nil)
		if err != nil || report.Compared != 65 || report.Natives != 100 || len(report.Examples) > 0 {
			t.Errorf("%v: %+v; wanted 65 compared, the old topic's 100 as natives", err, report)
		}
	}
}

func TestLongBothWaysATopicThatIsMadeAnewOnTheSourceIsCopiedAgainAndWhatTheTargetGotComesBack(t *testing.T) {
	l := newLive(t, "made-anew-both", 1)
	l.fill(100)
	var answers []lane.Answer
	both := func(r *Replicator) {
		r.options.BothWays, r.options.Answers = true, answers
		r.timing.pullWait, r.timing.patience, r.timing.homeRest, r.timing.look = time.Second, 3*time.Second, time.Second, 100*time.Millisecond
	}
	c := l.start("one", l.lanes, both)
	l.untilCopied(c)
	native := func() {
		for _, lane := range l.lanes {
			l.batch(l.target, lane.Target, time.Now().UnixMilli(), rocketmq.BatchMessage{Body: []byte("native")})
		}
	}
	ends := func(want int64) func(lane.Progress) bool {
		return func(lane.Progress) bool {
			for _, lane := range l.lanes {
				end, err := l.source.Client().
					MaxOffset(l.ctx, l.broker(l.source, lane.Source.Broker), l.topic, lane.Source.ID)
				if err != nil || end != want {
					return false
				}
			}
			return true
		}
	}
	native()
	l.until("natives are on the source", c, ends(101))
	l.untilCopied(c)
	c.stop()
	for _, of := range l.lanes {
		if err := l.source.Client().DeleteTopic(l.ctx, l.broker(l.source, of.Source.Broker), l.topic); err != nil {
			t.Fatal(err)
		}
		answers = append(
			answers,
			lane.Answer{Topic: of.Topic, Broker: of.Source.Broker, Queue: of.Source.ID, Action: lane.Restart},
			lane.Answer{
				Side:   lane.SideTarget,
				Topic:  of.Topic,
				Broker: of.Target.Broker,
				Queue:  of.Target.ID,
				Action: lane.Restart,
			},
		)
	}
	l.make(l.source, 1)
	l.fill(40)
	given := answers
	answers = nil
	c = l.start("one", l.lanes, both)
	l.until("the lanes of both directions see another topic", c,
		func(p lane.Progress) bool { return len(p.Faults) == 2 && len(p.Back.Faults) == 2 })
	c.stop()
	answers = given
	for more := range int64(3) { // the later runs are told of the answers too, and begin nothing anew
		c = l.start("one", l.lanes, both)
		l.until("the source has the natives again", c, ends(41+more))
		native()
		l.until("and what came since", c, ends(42+more))
		l.untilCopied(c)
		c.stop()
	}
	for _, lane := range l.lanes {
		report, err := verify.Lane(l.ctx, l.source, l.target, lane,
			verify.Options{Names: l.names(), Answers: answers}, nil)
		if err != nil || report.Compared != 40 || report.Back != 4 || report.Natives != 104 ||
			len(report.Examples) > 0 {
			t.Errorf("%v: %+v; wanted 40 compared, 4 from the target, the old topic's 100 and 4 as natives",
				err, report)
		}
	}
}
