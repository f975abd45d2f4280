package replicator

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rocketshift/internal/rocketmq"
)

// answerTo gives the lane's fault an answer.
func (r *session) answerTo(action string, from, to int64) {
	r.bench.Helper()
	lane := r.bench.lane
	if err := r.replicator.Answer(Answer{"", lane.Topic, lane.Source.Broker, lane.Source.ID, action, from, to}); err != nil {
		r.bench.Fatal(err)
	}
}

func TestRefusedMessageIsNamedAloneAndSkippedOnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.write(100, 100)
		var tried atomic.Int32
		refusing := refuse("body 42")
		b.target.onSend = func(n int, batch rocketmq.BatchRequest) (bool, error) {
			taken, err := refusing(n, batch)
			if err != nil {
				tried.Add(1)
			}
			return taken, err
		}
		run := b.start()
		run.untilFault(TargetRefused, 42, 43)
		before := tried.Load()
		if got := b.copies(); len(got) != 42 {
			t.Errorf("%d copies before the refused message, wanted 42", len(got))
		}
		run.answerTo(Retry, 0, 0) // nothing has changed
		run.untilProgress("the lane has tried", func(Progress) bool { return tried.Load() > before })
		run.untilFault(TargetRefused, 42, 43)
		run.answerTo(Skip, 42, 43)
		run.untilCaughtUp()
		if got := b.copies(); len(got) != 99 || slices.Contains(got, 42) {
			t.Errorf("copies %v, wanted all of 100 but 42", got)
		}
		for skipped, answers := range [][]Answer{nil, {{"", b.lane.Topic, b.lane.Source.Broker, b.lane.Source.ID, Skip, 42, 43}}} {
			report, err := b.compare(VerifyOptions{Answers: answers}, nil)
			if err != nil || report.Skipped != int64(skipped) || report.Missing != 1-int64(skipped) {
				t.Errorf("%v: with answers %v: %+v, wanted %d skipped and the other missing", err, answers, report, skipped)
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
		forward := Answer{Topic: b.lane.Topic, Broker: b.lane.Source.Broker, Queue: b.lane.Source.ID, Action: Skip, From: 3, To: 4}
		b.options.Answers = []Answer{forward}
		b.write(3, 3)
		run := b.start()
		run.untilCaughtUp()
		b.target.append(b.lane.Topic, b.lane.Target, native(nil)) // at 3 too
		b.untilBoth(run, 4)
		b.source.onSend = refuse("no way")
		b.send(b.target, b.lane.Target, "no way", nil)
		run.untilProgress("the reverse lane has a fault", func(p Progress) bool { return len(p.Back.Faults) == 1 })
		fault := run.progress().Back.Faults[0]
		if fault.Side != SideTarget || fault.From != 4 || !strings.Contains(fault.Error(), "target queue broker-a/1") {
			t.Errorf("fault %+v, wanted one of the target's offset 4", fault)
		}
		forward.From, forward.To = 4, 5
		if err := run.replicator.Answer(forward); err == nil || !strings.Contains(err.Error(), "no fault") {
			t.Errorf("%v: an answer without a side is the forward lane's", err)
		}
		forward.Side = SideTarget
		if err := run.replicator.Answer(forward); err != nil {
			t.Fatal(err)
		}
		run.untilProgress("the message is given up", func(p Progress) bool { return p.Back.Skipped == 1 && p.Back.Lag == 0 })
		if err := (Answer{Side: "left", Topic: "t", Broker: "b", Action: Retry}).Validate(); err == nil {
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
				return false, &rocketmq.Error{Server: "broker-x", Call: "SEND_BATCH_MESSAGE", Code: rocketmq.MessageIllegal, Remark: "the message is illegal"}
			}
		}
		return true, nil
	}
}

func TestLaneGoesOnByItselfOnceTheAnswerIsRetryAndTheCauseIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.write(10, 10)
		b.target.onSend = refuse("body 3")
		run := b.start()
		run.untilFault(TargetRefused, 3, 4)
		b.target.set(func() { b.target.onSend = nil })
		run.answerTo(Retry, 0, 0)
		run.untilCaughtUp()
		b.wantCopies(0, 10)
	})
}

func TestExpiredMessagesAreSkippedOnAnswerAlsoByLaterRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.stopped(10)
		b.write(10, 1)
		b.source.expire(b.lane.Topic, b.lane.Source, 15)
		run := b.start()
		run.untilFault(SourceTruncated, 10, 15)
		run.answerTo(Skip, 10, 15)
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
		b := newBench(t)
		b.write(5, 5)
		b.target.onSend = refuse("body 4")
		run := b.start()
		run.untilFault(TargetRefused, 4, 5)
		run.end()
		b.options.Answers = []Answer{{"", b.lane.Topic, b.lane.Source.Broker, b.lane.Source.ID, Skip, 4, 5}}
		b.start().untilCaughtUp()
		if got := b.copies(); len(got) != 4 {
			t.Errorf("copies %v, wanted 0 to 3", got)
		}
	})
}

func TestUnreadableMessagesAreSkippedOnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.write(20, 1)
		b.source.hidden = map[int64]bool{7: true, 8: true}
		run := b.start()
		run.untilFault(SourceUnreadable, 7, 9)
		run.answerTo(Skip, 7, 9)
		run.untilCaughtUp()
		if got := b.copies(); len(got) != 18 || got[7] != 9 {
			t.Errorf("copies %v, wanted 0 to 6 and 9 to 19", got)
		}
	})
}

func TestAnswersThatFitNoFaultAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.write(10, 10)
		b.target.onSend = refuse("body 3")
		run := b.start()
		run.untilFault(TargetRefused, 3, 4)
		for want, a := range map[string]Answer{
			"names no queue":              {Action: Retry},
			"unknown action":              {"", "orders", "broker-a", 1, "ignore", 0, 0},
			"only skip has offsets":       {"", "orders", "broker-a", 1, Retry, 1, 2},
			"second greater":              {"", "orders", "broker-a", 1, Skip, 4, 4},
			"no lane that runs here":      {"", "orders", "broker-a", 2, Retry, 0, 0},
			"the lane stands at offset 3": {"", "orders", "broker-a", 1, Skip, 4, 9},
		} {
			if err := run.replicator.Answer(a); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%+v: %v, wanted %q", a, err, want)
			}
		}
	})
}

func TestRatesHoldLanesBackAndAreNamedUntilTheyAreLifted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		run := b.start(func(r *Replicator) { r.SetRate("orders", Rate{Messages: 20}) })
		b.write(1000, 1000)
		run.untilProgress("it says why it is slow", func(p Progress) bool {
			return p.Copied > 0 && strings.Contains(p.Slowed, "topic orders: 20 messages a second")
		})
		if got := run.progress().Copied; got > 20 {
			t.Errorf("%d of 1000 messages were copied at once at 20 a second", got)
		}
		run.replicator.SetRate("orders", Rate{})
		run.untilCaughtUp()
		b.wantCopies(0, 1000)
		run.untilProgress("nothing holds it back", func(p Progress) bool { return p.Slowed == "" })
	})
}

func TestPacerLetsPassWhatTheRateAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer()
		p.set("", Rate{Bytes: 1e6})
		begin := time.Now()
		if err := p.wait(context.Background(), "any", 5, 300_000); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin).Round(time.Millisecond); took < 200*time.Millisecond || took > 300*time.Millisecond {
			t.Errorf("300,000 bytes at 1,000,000 a second passed in %s, wanted 300 ms, less the 100 ms of what may pass at once", took)
		}
		p.set("", Rate{})
		if reason := p.slowed("any"); reason != "" {
			t.Errorf("no rate is set, and lanes are held back by %q", reason)
		}
		cancelled, cancel := context.WithCancel(context.Background())
		cancel()
		p.set("one", Rate{Messages: 1})
		if err := p.wait(cancelled, "one", 100, 1); err == nil {
			t.Error("the wait went on although its context had ended")
		}
	})
}

func TestLanesAreAddedWhileOthersRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		run := b.start()
		run.untilCaughtUp()
		more := Lane{Topic: "new", Source: Queue{"broker-b", 0}, Target: Queue{"broker-y", 0}}
		b.source.append(more.Topic, more.Source, original(0, 1))
		for range 2 { // the second time it runs already
			if left, err := run.replicator.Add([]Lane{more}); err != nil || len(left) > 0 {
				t.Fatal(left, err)
			}
		}
		run.untilProgress("both lanes have caught up", func(p Progress) bool { return p.Lanes == 2 && p.CaughtUp == 2 && p.Copied == 1 })
		elsewhere := more
		elsewhere.Index, elsewhere.Target.ID = 3, 3 // as if the topic had more queues on another broker now
		if left, err := run.replicator.Add([]Lane{elsewhere}); err != nil || len(left) != 1 {
			t.Errorf("left out %v, %v; wanted the lane whose source queue has one already", left, err)
		}
		run.end()
		if got := b.target.all(more.Topic, more.Target); len(got) != 1 {
			t.Errorf("the new lane copied %d messages, wanted 1", len(got))
		}
		if _, err := run.replicator.Add([]Lane{more}); err == nil {
			t.Error("a lane was added to a run that had ended")
		}
	})
}

func TestLanesThatShareAQueueAreRefused(t *testing.T) {
	b := newBench(t)
	other := b.lane
	other.Target.ID++
	err := newReplicator(b.source, b.target, b.options).Run(context.Background(), []Lane{b.lane, other}, func(Progress) {})
	if err == nil || !strings.Contains(err.Error(), "has another lane") {
		t.Errorf("%v; wanted that the second lane is refused", err)
	}
}
