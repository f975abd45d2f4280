package replicator

import (
	"bytes"
	"math"
	"testing"

	"rocketshift/internal/rocketmq"
)

func stampsForTest() stamper {
	return stamper{"Old", Lane{Topic: "%DLQ%orders_group", Source: Queue{"broker-a", 3}, Target: Queue{"broker-x", 0}}}
}

func TestStampIsReadBackAsWritten(t *testing.T) {
	for _, offset := range []int64{0, 1, 4711, math.MaxInt64} {
		want := stampsForTest().stamp(offset)
		got, ok := ParseStamp(stampsForTest().properties([]byte("KEYS\x01k"), offset))
		if !ok || got != want {
			t.Errorf("read %v %v, wrote %v", got, ok, want)
		}
	}
}

func TestStampsThatNobodyWroteAreNone(t *testing.T) {
	for _, value := range []string{"", "1", "1,2,b", "1,2,b,t", "-1,2,b,t,c", "1,-2,b,t,c", "x,2,b,t,c", "1,x,b,t,c", "99999999999999999999,2,b,t,c"} {
		if got, ok := ParseStamp(rocketmq.AppendProperty(nil, StampProperty, value)); ok {
			t.Errorf("%q was read as %v", value, got)
		}
	}
	if got, ok := ParseStamp([]byte("KEYS\x01k\x02")); ok {
		t.Errorf("read %v from properties without a stamp", got)
	}
}

func TestCopyKeepsPropertiesByteForByteAndReplacesAnOldStamp(t *testing.T) {
	s := stampsForTest()
	value := s.stamp(7).String()
	for _, test := range []struct{ name, original, want string }{
		{"none", "", ""},
		{"last separator left out", "KEYS\x01k\x02TAGS\x01a", "KEYS\x01k\x02TAGS\x01a\x02"},
		{"empty values and repeated names", "A\x01\x02B\x01x\x02B\x01y\x02", "A\x01\x02B\x01x\x02B\x01y\x02"},
		{"an old stamp in the middle", "A\x011\x02" + StampProperty + "\x019,0,b,t,c\x02B\x012\x02", "A\x011\x02B\x012\x02"},
		{"an old stamp at the end", "A\x011\x02" + StampProperty + "\x019,0,b,t,c", "A\x011\x02"},
		{"a name that begins alike", StampProperty + "S\x011\x02", StampProperty + "S\x011\x02"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := s.properties([]byte(test.original), 7)
			if want := test.want + StampProperty + "\x01" + value + "\x02"; string(got) != want {
				t.Fatalf("properties %q, wanted %q", got, want)
			}
		})
	}
}

func TestStampingLeavesTheNeighbourInThePulledBufferAlone(t *testing.T) {
	buffer := []byte("KEYS\x01k\x02the next message of the pull lies right behind and must stay as it is")
	before := bytes.Clone(buffer)
	stampsForTest().properties(buffer[:7], 1)
	if !bytes.Equal(buffer, before) {
		t.Fatalf("the buffer became %q", buffer)
	}
}

func TestStampOfAnotherQueueOrTopicIsNotTheLanes(t *testing.T) {
	ours := stampsForTest()
	for name, other := range map[string]stamper{
		"cluster": {"Other", ours.lane},
		"topic":   {"Old", Lane{Topic: "orders", Source: ours.lane.Source}},
		"broker":  {"Old", Lane{Topic: ours.lane.Topic, Source: Queue{"broker-b", 3}}},
		"queue":   {"Old", Lane{Topic: ours.lane.Topic, Source: Queue{"broker-a", 4}}},
	} {
		if offset, yes := ours.offset(rocketmq.Message{Properties: other.properties(nil, 5)}); yes {
			t.Errorf("a stamp of another %s was taken for the lane's, offset %d", name, offset)
		}
	}
	if offset, yes := ours.offset(rocketmq.Message{Properties: ours.properties(nil, 5)}); !yes || offset != 5 {
		t.Errorf("the lane's own stamp was read as %d, %v", offset, yes)
	}
}
