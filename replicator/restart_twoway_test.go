package replicator

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rocketshift/replicator/lane"
	"rocketshift/replicator/verify"
)

// backAnswer is restartAnswer for the reverse lane.
func (b *laneFixture) backAnswer() lane.Answer {
	return lane.Answer{
		Side:   lane.SideTarget,
		Topic:  b.lane.Topic,
		Broker: b.lane.Target.Broker,
		Queue:  b.lane.Target.ID,
		Action: lane.Restart,
	}
}

// wantOnSource fails unless the source holds the new topic's messages and the natives, each once
// and in its order.
func (b *laneFixture) wantOnSource(natives []string, new int) {
	b.Helper()
	bodies := b.bodies(b.source, b.lane.Source)
	got := slices.DeleteFunc(slices.Clone(bodies), func(body string) bool { return !strings.HasPrefix(body, "native") })
	if !slices.Equal(got, natives) || len(bodies) != new+len(natives) {
		b.Fatalf("the source holds natives %q of %d messages, wanted %q and %d more", got, len(bodies), natives, new)
	}
}

// Both ways, the source's topic is deleted and made anew while natives lie on the target: its
// messages are copied, and the natives come back once more.
func TestBothWaysATopicThatWasMadeAnewOnTheSourceBeginsAgainOnAnswers(t *testing.T) {
	for name, kill := range map[string]bool{"while they run": false, "when they start": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := bothWays(t)
				quickly := func(r *Replicator) {
					r.timing.pullWait, r.timing.homeRest, r.timing.look = 5*time.Millisecond, 10*time.Millisecond, 5*time.Millisecond
				}
				b.write(100, 10)
				run := b.start(quickly)
				run.untilCaughtUp()
				var natives []string
				write := func(n int) {
					for range n {
						natives = append(natives, fmt.Sprintf("native %d", len(natives)))
						b.send(b.target, b.lane.Target, natives[len(natives)-1], nil)
					}
				}
				write(20)
				b.untilBoth(run, 120)
				run.untilProgress("everything is committed",
					func(p lane.Progress) bool { return p.CaughtUp == 1 && p.Back.CaughtUp == 1 })
				run.end()
				positions := b.source.Log(b.lane.Topic, b.lane.Source).Positions
				b.again(30)
				b.source.Set(
					func() { b.source.Log(b.lane.Topic, b.lane.Source).Positions = positions },
				) // 4.x keeps them
				if kill {
					b.options.Answers = []lane.Answer{b.restartAnswer(), b.backAnswer()}
				}
				run = b.start(quickly)
				if !kill {
					run.untilProgress("both lanes see another topic",
						func(p lane.Progress) bool { return len(p.Faults) == 1 && len(p.Back.Faults) == 1 })
					for _, a := range []lane.Answer{b.restartAnswer(), b.backAnswer()} {
						if err := run.replicator.Answer(a); err != nil {
							t.Fatal(err)
						}
					}
				}
				b.untilBoth(run, 50)
				write(10)
				b.until("the source has what came since",
					func() bool { return len(b.bodies(b.source, b.lane.Source)) == 60 },
					func() any { return run.progress() })
				run.untilProgress("everything is committed",
					func(p lane.Progress) bool { return p.CaughtUp == 1 && p.Back.CaughtUp == 1 })
				run.end()
				b.wantOnSource(natives, 30)
				b.options.Answers = []lane.Answer{b.restartAnswer(), b.backAnswer()} // as the next run is told
				b.start(quickly).untilCaughtUp()
				b.wantOnSource(natives, 30)
				if got := len(b.bodies(b.target, b.lane.Target)); got != 100+30+30 {
					t.Fatalf(
						"the target holds %d messages, wanted 100 of the old topic, 30 of the new one and 30 natives",
						got,
					)
				}
				report, err := b.compare(verify.Options{Answers: b.options.Answers}, nil)
				if err != nil || report.Compared != 30 || report.Back != 30 || len(report.Examples) > 0 {
					t.Errorf("%v: verification %+v, wanted 30 compared, 30 from the target and no difference",
						err, report)
				}
			})
		})
	}
}

func TestBothWaysATargetThatWasMadeAnewIsNotCopiedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bothWays(t)
		b.write(100, 10)
		run := b.start()
		run.untilCaughtUp()
		run.end()
		b.target.Empty(b.lane.Topic, b.lane.Target)
		b.target.Set(func() { b.target.Log(b.lane.Topic, b.lane.Target).Positions[b.options.Group] = 100 })
		run = b.start(func(r *Replicator) { r.timing.pullWait = 5 * time.Millisecond })
		run.untilProgress("the lane misses its copies",
			func(p lane.Progress) bool { return len(p.Faults) == 1 && p.Faults[0].Type == lane.TargetTruncated })
		if err := run.replicator.Answer(b.restartAnswer()); err == nil ||
			!strings.Contains(err.Error(), "migration of its own") {
			t.Errorf("%v, wanted a refusal that says what to do", err)
		}
	})
}
