package replicator

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rocketshift/internal/rocketmq"
)

// late is a message that was delivered late on the source.
func late(key string) rocketmq.Message {
	return rocketmq.Message{
		Body: []byte("late " + key), BornTimestamp: 5, Properties: []byte("DELAY\x013\x02KEYS\x01" + key + "\x02"),
	}
}

// Before, the lane stopped at its first batch where it couldn't read that the broker takes none.
func TestALaneLearnsThatABrokerTakesNoBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.target.noBatches, b.target.untold = true, true
		b.write(50, 3)
		b.source.append(b.lane.Topic, b.lane.Source, late("k"))
		said := ""
		b.target.slow = func() { time.Sleep(time.Second) }
		run := b.start(func(r *Replicator) {
			r.options.BatchMessages = 8
		})
		b.until("the lane says it", func() bool {
			said = strings.Join([]string{said, run.progress().Slowed}, "")
			return strings.Contains(said, "takes no batches") || run.progress().CaughtUp == 1
		}, func() any { return run.progress() })
		run.untilCaughtUp()
		run.end()
		if got := b.target.all(b.lane.Topic, b.lane.Target); len(got) != 51 {
			t.Fatalf("%d copies, wanted 51; %+v", len(got), run.progress())
		}
		if b.target.sends > 51+3 {
			t.Errorf("%d sends of 51 messages: it is learnt once", b.target.sends)
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
	dledger, plain := map[string]string{"enableDLegerCommitLog": "true"}, map[string]string{"enableDLegerCommitLog": "false"}
	for name, c := range map[string]struct {
		version string
		config  map[string]string
		want    batches
	}{
		"DLedger of 4.7":               {"4.7.1", dledger, batches{none: true, alone: true}},
		"DLedger that was upgraded":    {"4.9.7", dledger, batches{alone: true}},
		"no DLedger":                   {"4.7.1", plain, batches{}},
		"4.7 that doesn't tell":        {"4.7.1", nil, batches{untold: true, alone: true}},
		"4.9 that doesn't tell":        {"4.9.7", nil, batches{alone: true}},
		"who doesn't tell its version": {"", nil, batches{untold: true, alone: true}},
		"5.x that doesn't tell":        {"5.3.3", nil, batches{}},
	} {
		if got := batchesOf(c.version, c.config); got != c.want {
			t.Errorf("%s: %+v, wanted %+v", name, got, c.want)
		}
	}
}

// A message that such a broker refuses alone, too, is one that it doesn't take.
func TestAMessageThatIsRefusedAloneTooStopsTheLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.target.untold = true
		b.write(10, 1)
		b.target.onSend = func(_ int, batch rocketmq.BatchRequest) (bool, error) {
			for _, m := range batch.Messages {
				if string(m.Body) == "body 6" {
					return false, &rocketmq.Error{Server: "broker-x", Code: rocketmq.MessageIllegal, Remark: "too big"}
				}
			}
			return true, nil
		}
		b.start().untilFault(TargetRefused, 6, 7)
		if got := b.copies(); len(got) != 6 {
			t.Errorf("copies %v, wanted those before it", got)
		}
	})
}

// Before, copies that were sent alone were called altered once the broker took batches.
func TestCopiesThatWereSentAloneAreAlikeAfterAnUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.target.noBatches = true
		b.write(3, 1)
		b.source.append(b.lane.Topic, b.lane.Source, late("alone"))
		run := b.start()
		run.untilCaughtUp()
		run.end()
		b.target.noBatches, b.target.upgraded = false, true
		b.source.append(b.lane.Topic, b.lane.Source, late("batch"))
		run = b.start()
		run.untilCaughtUp()
		run.end()
		if got := b.verify(); got.Compared != 5 || got.Missing+got.Extra+got.Altered+got.OutOfOrder > 0 {
			t.Errorf("verification %+v, wanted 5 messages alike", got)
		}

		copies := b.target.all(b.lane.Topic, b.lane.Target) // one that isn't what the lane sent, either way
		original := late("half")
		original.Properties = append(original.Properties, "TRAN_MSG\x01true\x02"...)
		b.source.append(b.lane.Topic, b.lane.Source, original)
		half := original
		half.Properties = rocketmq.AppendProperty(rocketmq.WithoutProperty(original.Properties, rocketmq.PropDelay),
			StampProperty, b.stamps().stamp(int64(len(copies))).String())
		b.target.append(b.lane.Topic, b.lane.Target, half)
		run = b.start()
		run.untilCaughtUp()
		run.end()
		if got := b.verify(); got.Altered != 1 {
			t.Errorf("verification %+v, wanted the copy without a part of that to be altered", got)
		}
		b.target.upgraded = false
		if got := b.verify(); got.Altered != 2 {
			t.Errorf("verification %+v, wanted both that are without it to be altered where none was sent alone", got)
		}
	})
}
