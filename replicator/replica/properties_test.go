package replica

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"rocketshift/internal/rocketmq/remoting"
)

// TestQuickComparisonOfPropertiesNeverDisagrees holds the quick way against the one by maps, on
// properties made of few pieces.
func TestQuickComparisonOfPropertiesNeverDisagrees(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	pieces := []string{
		"KEYS",
		"k",
		"\x01",
		"\x02",
		"CLUSTER\x01c\x02",
		"ROCKETSHIFT\x011,2,b,t,c,p\x02",
		"TAGS\x01a\x02",
		"KEYS\x01k\x02",
		"WAIT\x01true",
		"UNIQ_KEY\x01u\x02",
		"A\x01\x02",
	}
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
		if _, detail, same := sameProperties(remoting.PropertyMap(a), remoting.PropertyMap(b)); !same {
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
	_, _, plain := s.Properties(nil, nil, 4711, 0, "")
	_, _, late := s.Properties(nil, nil, 4712, 1_700_000_000_000, "A;")
	pieces := []string{
		string(plain),
		string(late),
		"KEYS\x01k\x02",
		"X",
		"\x01",
		"\x02",
		StampProperty + "\x01",
		"7",
		"/",
		"0",
		"999999999999999999",
		",",
		string(s.Origin),
		",A;",
	}
	quick := 0
	for range 300_000 {
		var raw []byte
		for range random.IntN(7) {
			raw = append(raw, pieces[random.IntN(len(pieces))]...)
		}
		offset, born, ok := s.Origin.read(raw)
		if !ok {
			continue
		}
		quick++
		if stamp, own := s.own(&remoting.Message{Properties: raw}); !own || stamp.Offset != offset ||
			stamp.Born != born {
			t.Fatalf("%q was read as %d/%d at a glance, and as %v, %v", raw, offset, born, stamp, own)
		}
	}
	if quick < 1000 {
		t.Fatalf("only %d were read at a glance", quick)
	}
}

func TestComparingWhatIsTheSameAllocatesNothing(t *testing.T) {
	s := stampsForTest()
	source := remoting.Message{
		Body: []byte("body 7"), Flag: 3, BornTimestamp: 1_700_000_000_002,
		Properties: []byte("KEYS\x01k7\x02TAGS\x01a"),
	}
	source.Properties = append(source.Properties, "\x02UNIQ_KEY\x017F00000100000000\x02CLUSTER\x01Old\x02"...)
	for name, born := range map[string]int64{"the same born time": 0, "one in the stamp": source.BornTimestamp} {
		target := source
		_, kept, stamp := s.Properties(nil, source.Properties, 7, born, "")
		target.Properties = fmt.Appendf(nil, "%s%sCLUSTER\x01New\x02", kept, stamp)
		target.BornTimestamp -= born / 1000
		allocated := testing.AllocsPerRun(100, func() {
			offset, born, ours := s.Read(&target)
			if born == 0 {
				born = target.BornTimestamp
			}
			if _, detail, same := CompareContent(&source, &target, born, false); !ours || offset != 7 || !same {
				t.Fatalf("%s: %d, %v: %s", name, offset, ours, detail)
			}
		})
		if allocated > 0 {
			t.Errorf("%s: %v allocations for each message", name, allocated)
		}
	}
}
