package replicator

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// late is a message that was delivered late on the source.
func late(key string) remoting.Message {
	return remoting.Message{
		Body: []byte("late " + key), BornTimestamp: 5, Properties: []byte("DELAY\x013\x02KEYS\x01" + key + "\x02"),
	}
}

// Before, the lane stopped at its first batch where it couldn't read that the broker takes none.
func TestALaneLearnsThatABrokerTakesNoBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.target.NoBatches, b.target.Untold = true, true
		b.write(50, 3)
		b.source.Append(b.lane.Topic, b.lane.Source, late("k"))
		said := ""
		b.target.Slow = func() { time.Sleep(time.Second) }
		run := b.start(func(r *Replicator) {
			r.options.BatchMessages = 8
		})
		b.until("the lane says it", func() bool {
			said = strings.Join([]string{said, run.progress().Slowed}, "")
			return strings.Contains(said, "takes no batches") || run.progress().CaughtUp == 1
		}, func() any { return run.progress() })
		run.untilCaughtUp()
		run.end()
		if got := b.target.All(b.lane.Topic, b.lane.Target); len(got) != 51 {
			t.Fatalf("%d copies, wanted 51; %+v", len(got), run.progress())
		}
		if b.target.Sends > 51+3 {
			t.Errorf("%d sends of 51 messages: it is learnt once", b.target.Sends)
		}
		if !strings.Contains(said, "broker-x takes no batches") {
			t.Errorf("it said %q", said)
		}
		if got := b.verify(); got.Compared != 51 || got.Missing+got.Extra+got.Altered+got.OutOfOrder > 0 {
			t.Errorf("verification %+v, wanted 51 messages alike", got)
		}
	})
}

// What a broker takes is judged by its version and configuration.
func TestWhoMayTakeNoBatches(t *testing.T) {
	dledger, plain := map[string]string{
		"enableDLegerCommitLog": "true",
	}, map[string]string{
		"enableDLegerCommitLog": "false",
	}
	for name, c := range map[string]struct {
		version string
		config  map[string]string
		want    replica.Batches
	}{
		"DLedger of 4.7":               {"4.7.1", dledger, replica.Batches{None: true, Alone: true}},
		"DLedger that was upgraded":    {"4.9.7", dledger, replica.Batches{Alone: true}},
		"no DLedger":                   {"4.7.1", plain, replica.Batches{}},
		"4.7 that doesn't tell":        {"4.7.1", nil, replica.Batches{Untold: true, Alone: true}},
		"4.9 that doesn't tell":        {"4.9.7", nil, replica.Batches{Alone: true}},
		"who doesn't tell its version": {"", nil, replica.Batches{Untold: true, Alone: true}},
		"5.x that doesn't tell":        {"5.3.3", nil, replica.Batches{}},
	} {
		if got := replica.BatchesOf(c.version, c.config); got != c.want {
			t.Errorf("%s: %+v, wanted %+v", name, got, c.want)
		}
	}
}

// A message that such a broker refuses alone, too, is one that it doesn't take.
func TestAMessageThatIsRefusedAloneTooStopsTheLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.target.Untold = true
		b.write(10, 1)
		b.target.OnSend = func(_ int, batch rocketmq.BatchRequest) (bool, error) {
			for _, m := range batch.Messages {
				if string(m.Body) == "body 6" {
					return false, &remoting.Error{Server: "broker-x", Code: remoting.MessageIllegal, Remark: "too big"}
				}
			}
			return true, nil
		}
		b.start().untilFault(lane.TargetRefused, 6, 7)
		if got := b.copies(); len(got) != 6 {
			t.Errorf("copies %v, wanted those before it", got)
		}
	})
}

// Before, copies that were sent alone were called altered once the broker took batches.
func TestCopiesThatWereSentAloneAreAlikeAfterAnUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.target.NoBatches = true
		b.write(3, 1)
		b.source.Append(b.lane.Topic, b.lane.Source, late("alone"))
		run := b.start()
		run.untilCaughtUp()
		run.end()
		b.target.NoBatches, b.target.Upgraded = false, true
		b.source.Append(b.lane.Topic, b.lane.Source, late("batch"))
		run = b.start()
		run.untilCaughtUp()
		run.end()
		if got := b.verify(); got.Compared != 5 || got.Missing+got.Extra+got.Altered+got.OutOfOrder > 0 {
			t.Errorf("verification %+v, wanted 5 messages alike", got)
		}

		copies := b.target.All(b.lane.Topic, b.lane.Target) // one that isn't what the lane sent, either way
		original := late("half")
		original.Properties = append(original.Properties, "TRAN_MSG\x01true\x02"...)
		b.source.Append(b.lane.Topic, b.lane.Source, original)
		half := original
		half.Properties = remoting.AppendProperty(remoting.WithoutProperty(original.Properties, remoting.PropDelay),
			replica.StampProperty, b.stamps().Stamp(int64(len(copies))).String())
		b.target.Append(b.lane.Topic, b.lane.Target, half)
		run = b.start()
		run.untilCaughtUp()
		run.end()
		if got := b.verify(); got.Altered != 1 {
			t.Errorf("verification %+v, wanted the copy without a part of that to be altered", got)
		}
		b.target.Upgraded = false
		if got := b.verify(); got.Altered != 2 {
			t.Errorf("verification %+v, wanted both that are without it to be altered where none was sent alone", got)
		}
	})
}
