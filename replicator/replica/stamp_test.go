package replica

import (
	"bytes"
	"math"
	"testing"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

func stampsForTest() Stamper {
	return NewStamper(Names{"g", "Old", "New"}, lane.Lane{
		Topic:  "%DLQ%orders_group",
		Source: lane.Queue{Broker: "broker-a", ID: 3},
		Target: lane.Queue{Broker: "broker-x", ID: 0},
	})
}

func TestStampIsReadBackAsWritten(t *testing.T) {
	s := stampsForTest()
	for _, offset := range []int64{0, 1, 4711, math.MaxInt64} {
		for _, born := range []int64{0, 1_700_000_000_000, -1} {
			for _, via := range []string{"", "A;", "A;B;"} {
				want := s.Stamp(offset)
				want.Born, want.Via = born, via
				_, _, entry := s.Properties(nil, nil, offset, born, via)
				if got, ok := ParseStamp(append([]byte("KEYS\x01k\x02"), entry...)); !ok || got != want {
					t.Errorf("read %v %v, wrote %v", got, ok, want)
				}
				if value := want.String(); string(entry) != StampProperty+"\x01"+value+"\x02" {
					t.Errorf("stored %q, the stamp reads %q", entry, value)
				}
			}
		}
	}
}

func TestStampsThatNobodyWroteAreNone(t *testing.T) {
	for _, value := range []string{"", "1", "1,2,b", "1,2,b,t,c", "-1,2,b,t,c,p", "1,-2,b,t,c,p", "x,2,b,t,c,p", "1,x,b,t,c,p", "99999999999999999999,2,b,t,c,p", "1/,2,b,t,c,p", "1/0,2,b,t,c,p", "1/x,2,b,t,c,p"} {
		if got, ok := ParseStamp(remoting.AppendProperty(nil, StampProperty, value)); ok {
			t.Errorf("%q was read as %v", value, got)
		}
	}
	if got, ok := ParseStamp([]byte("KEYS\x01k\x02")); ok {
		t.Errorf("read %v from properties without a stamp", got)
	}
}

func TestCopyKeepsPropertiesByteForByteAndReplacesAnOldStamp(t *testing.T) {
	s := stampsForTest()
	value := s.Stamp(7).String()
	for _, test := range []struct{ name, original, want string }{
		{"none", "", ""},
		{"last separator left out", "KEYS\x01k\x02TAGS\x01a", "KEYS\x01k\x02TAGS\x01a\x02"},
		{"empty values and repeated names", "A\x01\x02B\x01x\x02B\x01y\x02", "A\x01\x02B\x01x\x02B\x01y\x02"},
		{"an old stamp in the middle", "A\x011\x02" + StampProperty + "\x019,0,b,t,c\x02B\x012\x02", "A\x011\x02B\x012\x02"},
		{"an old stamp at the end", "A\x011\x02" + StampProperty + "\x019,0,b,t,c", "A\x011\x02"},
		{"a name that begins alike", StampProperty + "S\x011\x02", StampProperty + "S\x011\x02"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := storedBy(s, []byte(test.original), 7)
			if want := test.want + StampProperty + "\x01" + value + "\x02"; string(got) != want {
				t.Fatalf("properties %q, wanted %q", got, want)
			}
		})
	}
}

func TestStampingLeavesTheNeighbourInThePulledBufferAlone(t *testing.T) {
	buffer := []byte("KEYS\x01k\x02the next message of the pull lies right behind and must stay as it is")
	before := bytes.Clone(buffer)
	storedBy(stampsForTest(), buffer[:7], 1)
	if !bytes.Equal(buffer, before) {
		t.Fatalf("the buffer became %q", buffer)
	}
}

func TestStampOfAnotherQueueOrTopicIsNotTheLanes(t *testing.T) {
	ours := stampsForTest()
	changed := func(change func(names *Names, lane *lane.Lane)) Stamper {
		names, lane := ours.Names, ours.lane
		change(&names, &lane)
		return NewStamper(names, lane)
	}
	for name, other := range map[string]Stamper{
		"cluster":        changed(func(n *Names, _ *lane.Lane) { n.Source = "Other" }),
		"target cluster": changed(func(n *Names, _ *lane.Lane) { n.Target = "Other" }),
		"topic":          changed(func(_ *Names, l *lane.Lane) { l.Topic = "orders" }),
		"broker":         changed(func(_ *Names, l *lane.Lane) { l.Source.Broker = "broker-b" }),
		"queue":          changed(func(_ *Names, l *lane.Lane) { l.Source.ID++ }),
		"target queue":   changed(func(_ *Names, l *lane.Lane) { l.Target.ID++ }),
		"target broker":  changed(func(_ *Names, l *lane.Lane) { l.Target.Broker = "broker-y" }),
		"direction": changed(func(n *Names, l *lane.Lane) {
			n.Source, n.Target, l.Source, l.Target = n.Target, n.Source, l.Target, l.Source
		}),
	} {
		if offset, yes := ours.Offset(&remoting.Message{Properties: storedBy(other, nil, 5)}); yes {
			t.Errorf("a stamp of another %s was taken for the lane's, offset %d", name, offset)
		}
	}
	if offset, yes := ours.Offset(&remoting.Message{Properties: storedBy(ours, nil, 5)}); !yes || offset != 5 {
		t.Errorf("the lane's own stamp was read as %d, %v", offset, yes)
	}
}

// storedBy returns the properties that a copy of the stamper's lane stores.
func storedBy(s Stamper, original []byte, offset int64) []byte {
	_, kept, stamp := s.Properties(nil, original, offset, 0, "")
	return rocketmq.BatchMessage{Properties: kept, Added: stamp}.StoredProperties()
}
