package replicator

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"rocketshift/replicator/verify"
)

func TestVerifyTellsOfEveryDifference(t *testing.T) {
	m := &model{laneFixture: newLaneFixture(t)}
	m.write(60, 3)
	m.put(0)
	wrong := m.stamped(1)
	wrong.Properties = bytes.Replace(wrong.Properties, []byte("KEYS\x01k1"), []byte("KEYS\x01k2"), 1)
	m.target.Append(m.lane.Topic, m.lane.Target, wrong)
	m.put(3)
	m.put(2) // late
	m.repeat(3)
	for offset := int64(20); offset < 60; offset++ {
		m.put(offset)
	}
	m.copied = 60
	m.commit()
	var told []verify.Difference
	report, err := m.compare(verify.Options{Differences: func(d verify.Difference) { told = append(told, d) }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := func(kind verify.Kind, offset, position int64, field, detail string) verify.Difference {
		return verify.Difference{
			Topic:    "orders",
			Broker:   "broker-a",
			Queue:    1,
			Kind:     kind,
			Offset:   offset,
			Position: position,
			Field:    field,
			Detail:   detail,
		}
	}
	want := []verify.Difference{
		at(verify.KindAltered, 1, 1, "property KEYS", `property KEYS is "k1", "k2" in the copy`),
		at(verify.KindOrder, 2, 3, "", "offset 2 is at position 3 on the target, behind the copy of offset 3"),
		at(verify.KindExtra, 3, 4, "", "offset 3 is on the target once more, at position 4"),
	}
	for offset := int64(4); offset < 20; offset++ {
		want = append(want, at(verify.KindMissing, offset, -1, "", "it has no copy on the target"))
	}
	if !reflect.DeepEqual(told, want) {
		t.Errorf("told %+v, wanted %+v", told, want)
	}
	if n := report.Missing + report.Extra + report.Altered + report.OutOfOrder; n != int64(len(told)) ||
		len(report.Examples) != 4 {
		t.Errorf("the report counts %d and shows %q; %d were told", n, report.Examples, len(told))
	}
}

func TestADifferenceIsALineOfJSON(t *testing.T) {
	got, err := json.Marshal(
		verify.Difference{
			Topic:    "orders",
			Broker:   "a",
			Queue:    1,
			Kind:     verify.KindAltered,
			Offset:   7,
			Position: 9,
			Field:    "flag",
			Detail:   "flag 1, 2 in the copy",
		},
	)
	want := `{"topic":"orders","broker":"a","queue":1,"kind":"altered","offset":7,"position":9,"field":"flag","detail":"flag 1, 2 in the copy"}`
	if err != nil || string(got) != want {
		t.Fatalf("%s, %v; wanted %s", got, err, want)
	}
}
