package replicator

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replicatest"
	"rocketshift/replicator/verify"
)

// answerTo gives the lane's fault an answer.
func (r *session) answerTo(action string, from, to int64) {
	r.fixture.Helper()
	l := r.fixture.lane
	if err := r.replicator.Answer(lane.Answer{Side: "", Topic: l.Topic, Broker: l.Source.Broker, Queue: l.Source.ID, Action: action, From: from, To: to}); err != nil {
		r.fixture.Fatal(err)
	}
}

func TestRefusedMessageIsNamedAloneAndSkippedOnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(100, 100)
		var tried atomic.Int32
		refusing := refuse("body 42")
		b.target.OnSend = func(n int, batch rocketmq.BatchRequest) (bool, error) {
			taken, err := refusing(n, batch)
			if err != nil {
				tried.Add(1)
			}
			return taken, err
		}
		run := b.start()
		run.untilFault(lane.TargetRefused, 42, 43)
		before := tried.Load()
		if got := b.copies(); len(got) != 42 {
			t.Errorf("%d copies before the refused message, wanted 42", len(got))
		}
		run.answerTo(lane.Retry, 0, 0) // nothing has changed
		run.untilProgress("the lane has tried", func(lane.Progress) bool { return tried.Load() > before })
		run.untilFault(lane.TargetRefused, 42, 43)
		run.answerTo(lane.Skip, 42, 43)
		run.untilCaughtUp()
		if got := b.copies(); len(got) != 99 || slices.Contains(got, 42) {
			t.Errorf("copies %v, wanted all of 100 but 42", got)
		}
		for skipped, answers := range [][]lane.Answer{nil, {{Side: "", Topic: b.lane.Topic, Broker: b.lane.Source.Broker, Queue: b.lane.Source.ID, Action: lane.Skip, From: 42, To: 43}}} {
			report, err := b.compare(verify.Options{Answers: answers}, nil)
			if err != nil || report.Skipped != int64(skipped) || report.Missing != 1-int64(skipped) {
				t.Errorf("%v: with answers %v: %+v, wanted %d skipped and the other missing", err, answers,
					report, skipped)
			}
		}
		if p := run.progress(); p.Skipped != 1 {
			t.Errorf("%d skipped, wanted 1", p.Skipped)
		}
	})
}

func TestAnswersToOneDirectionLeaveTheOtherAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bothWays(t)
		b.lane.Target = b.lane.Source // everybody's broker is called broker-a
		forward := lane.Answer{
			Topic:  b.lane.Topic,
			Broker: b.lane.Source.Broker,
			Queue:  b.lane.Source.ID,
			Action: lane.Skip,
			From:   3,
			To:     4,
		}
		b.options.Answers = []lane.Answer{forward}
		b.write(3, 3)
		run := b.start()
		run.untilCaughtUp()
		b.target.Append(b.lane.Topic, b.lane.Target, native(nil)) // at 3 too
		b.untilBoth(run, 4)
		b.source.OnSend = refuse("no way")
		b.send(b.target, b.lane.Target, "no way", nil)
		run.untilProgress("the reverse lane has a fault", func(p lane.Progress) bool { return len(p.Back.Faults) == 1 })
		fault := run.progress().Back.Faults[0]
		if fault.Side != lane.SideTarget || fault.From != 4 ||
			!strings.Contains(fault.Error(), "target queue broker-a/1") {
			t.Errorf("fault %+v, wanted one of the target's offset 4", fault)
		}
		forward.From, forward.To = 4, 5
		if err := run.replicator.Answer(forward); err == nil || !strings.Contains(err.Error(), "no fault") {
			t.Errorf("%v: an answer without a side is the forward lane's", err)
		}
		forward.Side = lane.SideTarget
		if err := run.replicator.Answer(forward); err != nil {
			t.Fatal(err)
		}
		run.untilProgress("the message is given up",
			func(p lane.Progress) bool { return p.Back.Skipped == 1 && p.Back.Lag == 0 })
		if err := (lane.Answer{Side: "left", Topic: "t", Broker: "b", Action: lane.Retry}).Validate(); err == nil {
			t.Error("an unknown side is taken")
		}
	})
}

func TestGivenUpMessagesCountOnceHoweverOftenTheyAreJudged(t *testing.T) {
	var s laneState
	for _, judged := range [][2]int64{{5, 6}, {6, 8}, {5, 6}, {5, 8}, {7, 10}, {20, 21}} {
		s.giveUp(judged[0], judged[1])
	}
	if s.skipped != 6 {
		t.Errorf("%d messages count as given up, wanted 6: 5 to 9, and 20", s.skipped)
	}
}

// refuse answers batches with that body like a broker that doesn't take one of their messages.
func refuse(body string) func(int, rocketmq.BatchRequest) (bool, error) {
	return func(_ int, batch rocketmq.BatchRequest) (bool, error) {
		for _, m := range batch.Messages {
			if string(m.Body) == body {
				return false, &remoting.Error{
					Server: "broker-x",
					Call:   "SEND_BATCH_MESSAGE",
					Code:   remoting.MessageIllegal,
					Remark: "the message is illegal",
				}
			}
		}
		return true, nil
	}
}

func TestLaneGoesOnByItselfOnceTheAnswerIsRetryAndTheCauseIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(10, 10)
		b.target.OnSend = refuse("body 3")
		run := b.start()
		run.untilFault(lane.TargetRefused, 3, 4)
		b.target.Set(func() { b.target.OnSend = nil })
		run.answerTo(lane.Retry, 0, 0)
		run.untilCaughtUp()
		b.wantCopies(0, 10)
	})
}

func TestExpiredMessagesAreSkippedOnAnswerAlsoByLaterRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.stopped(10)
		b.write(10, 1)
		b.source.Expire(b.lane.Topic, b.lane.Source, 15)
		run := b.start()
		run.untilFault(lane.SourceTruncated, 10, 15)
		run.answerTo(lane.Skip, 10, 15)
		run.untilCaughtUp()
		run.end()
		want := []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 18, 19}
		if got := b.copies(); !slices.Equal(got, want) {
			t.Fatalf("copies %v, wanted %v", got, want)
		}
	})
}

func TestAnswersOfEarlierRunsHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(5, 5)
		b.target.OnSend = refuse("body 4")
		run := b.start()
		run.untilFault(lane.TargetRefused, 4, 5)
		run.end()
		b.options.Answers = []lane.Answer{
			{
				Side:   "",
				Topic:  b.lane.Topic,
				Broker: b.lane.Source.Broker,
				Queue:  b.lane.Source.ID,
				Action: lane.Skip,
				From:   4,
				To:     5,
			},
		}
		b.start().untilCaughtUp()
		if got := b.copies(); len(got) != 4 {
			t.Errorf("copies %v, wanted 0 to 3", got)
		}
	})
}

func TestUnreadableMessagesAreSkippedOnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(20, 1)
		b.source.Hidden = map[int64]bool{7: true, 8: true}
		run := b.start()
		run.untilFault(lane.SourceUnreadable, 7, 9)
		run.answerTo(lane.Skip, 7, 9)
		run.untilCaughtUp()
		if got := b.copies(); len(got) != 18 || got[7] != 9 {
			t.Errorf("copies %v, wanted 0 to 6 and 9 to 19", got)
		}
	})
}

func TestAnswersThatFitNoFaultAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(10, 10)
		b.target.OnSend = refuse("body 3")
		run := b.start()
		run.untilFault(lane.TargetRefused, 3, 4)
		for want, a := range map[string]lane.Answer{
			"names no queue":              {Action: lane.Retry},
			"unknown action":              {Side: "", Topic: "orders", Broker: "broker-a", Queue: 1, Action: "ignore", From: 0, To: 0},
			"only skip has offsets":       {Side: "", Topic: "orders", Broker: "broker-a", Queue: 1, Action: lane.Retry, From: 1, To: 2},
			"second greater":              {Side: "", Topic: "orders", Broker: "broker-a", Queue: 1, Action: lane.Skip, From: 4, To: 4},
			"no lane that runs here":      {Side: "", Topic: "orders", Broker: "broker-a", Queue: 2, Action: lane.Retry, From: 0, To: 0},
			"the lane stands at offset 3": {Side: "", Topic: "orders", Broker: "broker-a", Queue: 1, Action: lane.Skip, From: 4, To: 9},
		} {
			if err := run.replicator.Answer(a); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v, wanted %q", a, err, want)
			}
		}
	})
}

func TestRatesHoldLanesBackAndAreNamedUntilTheyAreLifted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		run := b.start(func(r *Replicator) { r.SetRate("orders", lane.Rate{Messages: 20}) })
		b.write(1000, 1000)
		run.untilProgress("it says why it is slow", func(p lane.Progress) bool {
			return p.Copied > 0 && strings.Contains(p.Slowed, "topic orders: 20 messages a second")
		})
		if got := run.progress().Copied; got > 20 {
			t.Errorf("%d of 1000 messages were copied at once at 20 a second", got)
		}
		run.replicator.SetRate("orders", lane.Rate{})
		run.untilCaughtUp()
		b.wantCopies(0, 1000)
		run.untilProgress("nothing holds it back", func(p lane.Progress) bool { return p.Slowed == "" })
	})
}

func TestLanesAreAddedWhileOthersRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		run := b.start()
		run.untilCaughtUp()
		more := lane.Lane{
			Topic:  "new",
			Source: lane.Queue{Broker: "broker-b", ID: 0},
			Target: lane.Queue{Broker: "broker-y", ID: 0},
		}
		b.source.Append(more.Topic, more.Source, replicatest.Original(0, 1))
		for range 2 { // the second time it runs already
			if left, err := run.replicator.Add([]lane.Lane{more}); err != nil || len(left) > 0 {
				t.Fatal(left, err)
			}
		}
		run.untilProgress("both lanes have caught up",
			func(p lane.Progress) bool { return p.Lanes == 2 && p.CaughtUp == 2 && p.Copied == 1 })
		elsewhere := more
		elsewhere.Index, elsewhere.Target.ID = 3, 3 // as if the topic had more queues on another broker now
		if left, err := run.replicator.Add([]lane.Lane{elsewhere}); err != nil || len(left) != 1 {
			t.Errorf("left out %v, %v; wanted the lane whose source queue has one already", left, err)
		}
		run.end()
		if got := b.target.All(more.Topic, more.Target); len(got) != 1 {
			t.Errorf("the new lane copied %d messages, wanted 1", len(got))
		}
		if _, err := run.replicator.Add([]lane.Lane{more}); err == nil {
			t.Error("a lane was added to a run that had ended")
		}
	})
}

func TestLanesThatShareAQueueAreRefused(t *testing.T) {
	b := newLaneFixture(t)
	other := b.lane
	other.Target.ID++
	err := newReplicator(b.source, b.target,
		b.options).Run(context.Background(), []lane.Lane{b.lane, other}, func(lane.Progress) {})
	if err == nil || !strings.Contains(err.Error(), "has another lane") {
		t.Errorf("%v; wanted that the second lane is refused", err)
	}
}
