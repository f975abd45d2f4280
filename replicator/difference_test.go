package replicator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"rocketshift/internal/rocketmq"
)

func TestVerifyTellsOfEveryDifference(t *testing.T) {
	m := &model{bench: newBench(t)}
	m.write(60, 3)
	m.put(0)
	wrong := m.stamped(1)
	wrong.Properties = bytes.Replace(wrong.Properties, []byte("KEYS\x01k1"), []byte("KEYS\x01k2"), 1)
	m.target.append(m.lane.Topic, m.lane.Target, wrong)
	m.put(3)
	m.put(2) // late
	m.repeat(3)
	for offset := int64(20); offset < 60; offset++ {
		m.put(offset)
	}
	m.copied = 60
	m.commit()
	var told []Difference
	report, err := m.positions().verify(context.Background(), m.lane, VerifyOptions{Differences: func(d Difference) { told = append(told, d) }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := func(kind Kind, offset, position int64, field, detail string) Difference {
		return Difference{Topic: "orders", Broker: "broker-a", Queue: 1, Kind: kind, Offset: offset, Position: position, Field: field, Detail: detail}
	}
	want := []Difference{
		at(KindAltered, 1, 1, "property KEYS", `property KEYS is "k1", "k2" in the copy`),
		at(KindOrder, 2, 3, "", "offset 2 is at position 3 on the target, behind the copy of offset 3"),
		at(KindExtra, 3, 4, "", "offset 3 is on the target once more, at position 4"),
	}
	for offset := int64(4); offset < 20; offset++ {
		want = append(want, at(KindMissing, offset, -1, "", "it has no copy on the target"))
	}
	if !reflect.DeepEqual(told, want) {
		t.Errorf("told %+v, wanted %+v", told, want)
	}
	if n := report.Missing + report.Extra + report.Altered + report.OutOfOrder; n != int64(len(told)) || len(report.Examples) != 4 {
		t.Errorf("the report counts %d and shows %q; %d were told", n, report.Examples, len(told))
	}
}

func TestADifferenceIsALineOfJSON(t *testing.T) {
	got, err := json.Marshal(Difference{Topic: "orders", Broker: "a", Queue: 1, Kind: KindAltered, Offset: 7, Position: 9, Field: "flag", Detail: "flag 1, 2 in the copy"})
	want := `{"topic":"orders","broker":"a","queue":1,"kind":"altered","offset":7,"position":9,"field":"flag","detail":"flag 1, 2 in the copy"}`
	if err != nil || string(got) != want {
		t.Fatalf("%s, %v; wanted %s", got, err, want)
	}
}

// TestQuickComparisonOfPropertiesNeverDisagrees holds the quick way against the one by maps, on properties made of few pieces.
func TestQuickComparisonOfPropertiesNeverDisagrees(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	pieces := []string{"KEYS", "k", "\x01", "\x02", "CLUSTER\x01c\x02", "ROCKETSHIFT\x011,2,b,t,c,p\x02", "TAGS\x01a\x02", "KEYS\x01k\x02", "WAIT\x01true", "UNIQ_KEY\x01u\x02", "A\x01\x02"}
	some := func() (raw []byte) {
		for range random.IntN(6) {
			raw = append(raw, pieces[random.IntN(len(pieces))]...)
		}
		return raw
	}
	quick := 0
	for range 200_000 {
		a, b := some(), some()
		if random.IntN(3) == 0 {
			b = append(bytes.Clone(a), b...)
		}
		if !sameEntries(a, b) {
			continue
		}
		quick++
		if _, detail, same := sameProperties(rocketmq.PropertyMap(a), rocketmq.PropertyMap(b)); !same {
			t.Fatalf("%q and %q are the same at a glance, and not by their maps: %s", a, b, detail)
		}
	}
	if quick < 1000 {
		t.Fatalf("only %d pairs were the same", quick)
	}
}

// TestQuickReadingOfStampsNeverDisagrees does so with stamps.
func TestQuickReadingOfStampsNeverDisagrees(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	s := stampsForTest()
	_, _, plain := s.properties(nil, nil, 4711, 0, "")
	_, _, late := s.properties(nil, nil, 4712, 1_700_000_000_000, "A;")
	pieces := []string{string(plain), string(late), "KEYS\x01k\x02", "X", "\x01", "\x02", StampProperty + "\x01", "7", "/", "0", "999999999999999999", ",", string(s.origin), ",A;"}
	quick := 0
	for range 300_000 {
		var raw []byte
		for range random.IntN(7) {
			raw = append(raw, pieces[random.IntN(len(pieces))]...)
		}
		offset, born, ok := s.origin.read(raw)
		if !ok {
			continue
		}
		quick++
		if stamp, own := s.own(&rocketmq.Message{Properties: raw}); !own || stamp.Offset != offset || stamp.Born != born {
			t.Fatalf("%q was read as %d/%d at a glance, and as %v, %v", raw, offset, born, stamp, own)
		}
	}
	if quick < 1000 {
		t.Fatalf("only %d were read at a glance", quick)
	}
}

func TestComparingWhatIsTheSameAllocatesNothing(t *testing.T) {
	s := stampsForTest()
	source := original(7, 3)
	source.Properties = append(source.Properties, "\x02UNIQ_KEY\x017F00000100000000\x02CLUSTER\x01Old\x02"...)
	for name, born := range map[string]int64{"the same born time": 0, "one in the stamp": source.BornTimestamp} {
		target := source
		_, kept, stamp := s.properties(nil, source.Properties, 7, born, "")
		target.Properties = fmt.Appendf(nil, "%s%sCLUSTER\x01New\x02", kept, stamp)
		target.BornTimestamp -= born / 1000
		allocated := testing.AllocsPerRun(100, func() {
			offset, born, ours := s.read(&target)
			if born == 0 {
				born = target.BornTimestamp
			}
			if _, detail, same := compareContent(&source, &target, born, false); !ours || offset != 7 || !same {
				t.Fatalf("%s: %d, %v: %s", name, offset, ours, detail)
			}
		})
		if allocated > 0 {
			t.Errorf("%s: %v allocations for each message", name, allocated)
		}
	}
}
