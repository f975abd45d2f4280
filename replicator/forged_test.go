package replicator

import (
	"testing"
	"testing/synctest"

	"rocketshift/replicator/lane"
)

// Who may write to a topic may put a stamp on a message. It has a say over the lane of that queue
// alone, which stops, and says so, when it reads the queue's end again: there is no such original,
// or another one.
func TestAForgedStampStopsItsLaneLoudly(t *testing.T) {
	for name, written := range map[string]int{"of an offset that isn't there": 0, "of another message": 30} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newLaneFixture(t)
				b.stopped(10)
				b.write(written, 1)
				forged := native(stored(b.stamps(), nil, 20))
				forged.Body = []byte("forged")
				b.target.Append(b.lane.Topic, b.lane.Target, forged)
				run := b.start()
				run.untilProgress("the lane stops", func(p lane.Progress) bool { return len(p.Faults) == 1 })
				fault := run.progress().Faults[0]
				if fault.Type != lane.SourceReset || fault.Topic != b.lane.Topic || fault.Cause == "" ||
					fault.Next == "" {
					t.Fatalf("fault %+v, wanted %s of the topic, with its cause and the next step", fault,
						lane.SourceReset)
				}
				if got := run.progress().Copied; got != 0 {
					t.Fatalf("%d messages were copied on behind a stamp that isn't one", got)
				}
			})
		})
	}
}

// A message that is the same as its original to the byte can't be told from a copy: what lies
// before it isn't copied, and counts as missing when both sides are compared.
func TestAForgedStampOnTheSameMessageIsSeenByVerify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.stopped(10)
		b.write(30, 1)
		original := b.source.Log(b.lane.Topic, b.lane.Source).Messages[20]
		forged := original
		forged.Properties = stored(b.stamps(), original.Properties, 20)
		b.target.Append(b.lane.Topic, b.lane.Target, forged)
		run := b.start()
		run.untilCaughtUp()
		run.end()
		if report := b.verify(); report.Missing != 10 {
			t.Fatalf("%+v, wanted 10 missing", report)
		}
	})
}
