package replicator

import (
	"testing"
	"time"
)

func TestLiveTopicThatIsMadeAnewIsCopiedAgainOnAnswer(t *testing.T) {
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
	l.until("both lanes miss their topic", c, func(p Progress) bool { return len(p.Faults) == 2 })
	c.stop()
	l.make(l.source, 1)
	l.fill(40)
	c = l.start("one", l.lanes, quick)
	l.until("both lanes see another topic", c, func(p Progress) bool {
		return len(p.Faults) == 2 && p.Faults[0].Type == SourceReset && p.Faults[1].Type == SourceReset
	})
	c.stop()
	var answers []Answer
	for _, lane := range l.lanes {
		answers = append(answers, Answer{Topic: lane.Topic, Broker: lane.Source.Broker, Queue: lane.Source.ID, Action: Restart})
	}
	for _, more := range []int{0, 25} { // the second run is told of the answers too, and begins nothing anew
		l.fill(more)
		c = l.start("one", l.lanes, func(r *Replicator) { quick(r); r.options.Answers = answers })
		l.untilCopied(c)
		c.stop()
	}
	for _, lane := range l.lanes {
		report, err := VerifyLane(l.ctx, l.source, l.target, lane, VerifyOptions{Names: l.names(), Answers: answers}, nil)
		if err != nil || report.Compared != 65 || report.Natives != 100 || len(report.Examples) > 0 {
			t.Errorf("%v: %+v; wanted 65 compared, the old topic's 100 as natives", err, report)
		}
	}
}
