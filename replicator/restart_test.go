package replicator

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replica"
	"rocketshift/replicator/replicatest"
	"rocketshift/replicator/verify"
)

// again replaces the source queue by one with other messages.
func (b *laneFixture) again(n int) {
	b.source.Empty(b.lane.Topic, b.lane.Source)
	for i := range int64(n) {
		m := replicatest.Original(i, 10)
		m.Body = append([]byte("new "), m.Body...)
		b.source.Append(b.lane.Topic, b.lane.Source, m)
	}
}

// wantEpoch fails unless exactly the source's messages are on the target as copies of the epoch, in
// order.
func (b *laneFixture) wantEpoch(epoch int) {
	b.Helper()
	stamps := b.stamps()
	stamps.Restarted(epoch)
	want := b.source.All(b.lane.Topic, b.lane.Source)
	var got []remoting.Message
	for _, m := range b.target.All(b.lane.Topic, b.lane.Target) {
		if offset, ours := stamps.Offset(&m); ours {
			if offset != int64(len(got)) {
				b.Fatalf("copy %d of epoch %d has offset %d", len(got), epoch, offset)
			}
			got = append(got, m)
		}
	}
	if len(got) != len(want) {
		b.Fatalf("%d copies of epoch %d, wanted %d", len(got), epoch, len(want))
	}
	for i := range want {
		if difference, same := replica.SameMessage(&want[i], &got[i]); !same {
			b.Fatalf("copy %d: %s", i, difference)
		}
	}
	answers := b.options.Answers
	report, err := b.compare(verify.Options{Answers: answers}, nil)
	if err != nil || len(answers) > 0 && (report.Compared != int64(len(want)) || len(report.Examples) > 0) {
		b.Errorf("%v: verification %+v, wanted %d compared and no difference", err, report, len(want))
	}
}

func (b *laneFixture) restartAnswer() lane.Answer {
	return lane.Answer{Topic: b.lane.Topic, Broker: b.lane.Source.Broker, Queue: b.lane.Source.ID, Action: lane.Restart}
}

func TestLaneOfATopicThatWasMadeAnewBeginsAgainOnAnswer(t *testing.T) {
	for name, now := range map[string]int{"shorter": 30, "longer": 300} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newLaneFixture(t)
				b.stopped(100)
				b.again(now)
				run := b.start(func(r *Replicator) { r.timing.pullWait = 5 * time.Millisecond })
				run.untilProgress("the lane sees that its topic was made anew",
					func(p lane.Progress) bool { return len(p.Faults) == 1 && p.Faults[0].Type == lane.SourceReset })
				run.answerTo(lane.Restart, 0, 0)
				run.untilCaughtUp()
				run.end()
				b.options.Answers = []lane.Answer{b.restartAnswer()} // as the next run is told
				b.wantEpoch(1)
				b.write(50, 1)
				b.start().untilCaughtUp() // nothing begins a second time
				b.wantEpoch(1)
			})
		})
	}
}

func TestKillsAfterTheAnswerRestartTheLaneOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.stopped(100)
		b.again(40)
		b.options.Answers = []lane.Answer{b.restartAnswer()}
		for n := 1; n <= 6; n++ { // each run is killed at its n-th send, which is stored or isn't
			b.target.Set(func() {
				b.target.OnSend = func(sent int, _ rocketmq.BatchRequest) (bool, error) {
					b.target.Down = errNoAnswer
					return n%2 == 0, errNoAnswer
				}
			})
			run := b.start(func(r *Replicator) { r.options.BatchMessages, r.timing.checkpoint = 5, -1 })
			run.untilProgress("the send failed",
				func(p lane.Progress) bool { return strings.Contains(p.Waiting, errNoAnswer.Error()) })
			run.end()
			b.target.Set(func() { b.target.Down = nil })
		}
		b.target.Set(func() { b.target.OnSend = nil })
		b.start().untilCaughtUp()
		b.wantEpoch(1)
	})
}

func TestRestartOfALaneThatIsInOrderChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.stopped(100)
		b.options.Answers = []lane.Answer{b.restartAnswer()}
		b.write(20, 1)
		run := b.start()
		run.untilCaughtUp()
		b.wantCopies(0, 120)
		if err := run.replicator.Answer(b.restartAnswer()); err == nil {
			t.Error("a lane without a fault took the answer")
		}
	})
}

func TestLaneWhoseTargetWasMadeAnewCopiesAgainOnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.stopped(100)
		b.target.Set(func() { // the queue goes, positions stay
			log := b.target.Log(b.lane.Topic, b.lane.Target)
			log.Messages = nil
		})
		run := b.start()
		run.untilProgress("the lane misses its copies",
			func(p lane.Progress) bool { return len(p.Faults) == 1 && p.Faults[0].Type == lane.TargetTruncated })
		run.answerTo(lane.Restart, 0, 0)
		run.untilCaughtUp()
		run.end()
		b.options.Answers = []lane.Answer{b.restartAnswer()}
		b.wantEpoch(1)
		b.start().untilCaughtUp()
		b.wantEpoch(1)
	})
}

func TestPositionsOfALaneThatWasRestartedAreOfItsPresentEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.stopped(100)
		b.options.Answers = []lane.Answer{b.restartAnswer()}
		known := b.positions() // knows the lane as it was
		if _, err := known.Back(context.Background(), b.lane, 50); err != nil {
			t.Fatal(err)
		}
		b.again(40)
		b.start().untilCaughtUp()
		for name, p := range map[string]*positions.Positions{"new": b.positions(), "that knew the lane before": known} {
			if got, err := p.Back(context.Background(), b.lane, 120); err != nil || got.Target != 20 {
				t.Errorf("%s: back 120: %+v, %v; wanted 20", name, got, err)
			}
			if got, err := p.Forward(context.Background(), b.lane, 20); err != nil &&
				!errors.Is(err, positions.ErrNotCopiedYet) ||
				err == nil && got.Target > 120 {
				t.Errorf("%s: forward 20: %+v, %v; wanted no position behind 120", name, got, err)
			}
		}
	})
}
