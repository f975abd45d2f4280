package replicator

import (
	"strings"
	"testing"

	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
	"rocketshift/replicator/verify"
)

func TestVerifyFindsEachKindOfDifference(t *testing.T) {
	altered := func(m *model, offset int64, change func(*remoting.Message)) {
		message := m.stamped(offset)
		change(&message)
		m.target.Append(m.lane.Topic, m.lane.Target, message)
		m.copied = offset + 1
	}
	put := func(m *model, offsets ...int64) {
		for _, offset := range offsets {
			m.put(offset)
		}
	}
	for _, test := range []struct {
		name    string
		target  func(m *model)
		want    verify.Report
		example string
	}{
		{"nothing", func(m *model) { put(m, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9) }, verify.Report{Compared: 10}, ""},
		{"missing in the middle", func(m *model) { put(m, 0, 1, 4, 5, 6, 7, 8, 9) }, verify.Report{Compared: 8, Missing: 2}, "missing: offsets 2 to 3"},
		{"missing at the beginning", func(m *model) { m.native(nil); put(m, 1, 2, 3, 4, 5, 6, 7, 8, 9) }, verify.Report{Compared: 9, Missing: 1, Natives: 1}, "missing: offsets 0 to 0"},
		{"missing at the end", func(m *model) { put(m, 0, 1, 2, 3, 4, 5, 6); m.copied = 10 }, verify.Report{Compared: 7, Missing: 3}, "missing: offsets 7 to 9"},
		{"missing all", func(m *model) { m.copied = 10 }, verify.Report{Missing: 10}, "missing: offsets 0 to 9"},
		{"altered body", func(m *model) {
			put(m, 0, 1, 2)
			altered(m, 3, func(c *remoting.Message) { c.Body = []byte("body x") })
			put(m, 4, 5, 6, 7, 8, 9)
		}, verify.Report{Compared: 10, Altered: 1}, "altered: offset 3, position 3 on the target: body of 6 " +
			"bytes, 6 bytes in the copy, first difference at byte 5"},
		{"out of order", func(m *model) { put(m, 0, 1, 2, 5, 3, 4, 6, 7, 8, 9) }, verify.Report{Compared: 10, OutOfOrder: 2}, "out of order: offset 3 is at position 4 on the target, behind the copy of offset 5"},
		{"a batch twice", func(m *model) { put(m, 0, 1, 2, 3); m.repeat(2); m.repeat(3); put(m, 4, 5, 6, 7, 8, 9) }, verify.Report{Compared: 10, Extra: 2}, "extra: offset 2 is on the target once more, at position 4"},
		{
			"a copy of what the source never had", func(m *model) {
				put(m, 0, 1, 2, 3, 4)
				m.target.Append(m.lane.Topic, m.lane.Target, m.stamped(500))
				put(m, 5, 6, 7, 8, 9)
			},
			verify.Report{Compared: 10, Extra: 1},
			"extra: position 5 on the target is stamped with offset 500, and the source ends at 12",
		},
		{
			"a copy of another queue, of a run that paired them otherwise", func(m *model) {
				other := replica.NewStamper(m.options.Names, lane.Lane{Topic: m.lane.Topic, Source: lane.Queue{Broker: "broker-z", ID: 3}, Target: m.lane.Target})
				m.native(stored(other, nil, 2))
				put(m, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
			},
			verify.Report{Compared: 10, Extra: 1},
			"extra: position 0 on the target is a copy of source queue broker-z/3, whose lane goes elsewhere by now",
		},
		{"natives aren't differences", func(m *model) {
			put(m, 0, 1, 2, 3)
			m.native(nil)
			m.native(stored(m.stamps(), nil, 2))
			put(m, 4, 5, 6, 7, 8, 9)
			m.native(nil)
		}, verify.Report{Compared: 10, Natives: 3}, ""},
		{"copies of after the beginning don't count", func(m *model) { put(m, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11); m.copied = 10 }, verify.Report{Compared: 10}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := &model{laneFixture: newLaneFixture(t)}
			m.write(12, 3)
			test.target(m)
			m.commit()
			want := test.want
			want.Topic, want.Source, want.Target, want.To = m.lane.Topic, m.lane.Source, m.lane.Target, 10
			got := m.verify()
			examples := strings.Join(got.Examples, "\n")
			if test.example == "" && examples != "" || !strings.Contains(examples, test.example) {
				t.Errorf("examples %q, wanted %q", examples, test.example)
			}
			got.Examples = nil
			if !equalReports(got, want) {
				t.Errorf("report %+v, wanted %+v", got, want)
			}
		})
	}
}

func equalReports(a, b verify.Report) bool {
	return a.Topic == b.Topic && a.Source == b.Source && a.Target == b.Target && a.From == b.From && a.To == b.To && a.Compared == b.Compared &&
		a.Natives == b.Natives && a.Missing == b.Missing && a.Extra == b.Extra &&
		a.Altered == b.Altered &&
		a.OutOfOrder == b.OutOfOrder
}

func TestVerifyShowsFiveExamplesAndCountsAll(t *testing.T) {
	m := &model{laneFixture: newLaneFixture(t)}
	m.write(100, 3)
	for offset := int64(0); offset < 100; offset += 2 {
		m.put(offset)
	}
	m.copied = 100
	m.commit()
	if got := m.verify(); len(got.Examples) != 5 || got.Missing != 50 {
		t.Fatalf("%+v, wanted five examples of 50 that are missing", got)
	}
}

func TestVerifyLeavesOutWhatExpiredOnEitherSide(t *testing.T) {
	m := &model{laneFixture: newLaneFixture(t)}
	m.write(100, 3)
	for offset := range int64(100) {
		m.put(offset)
	}
	m.commit()
	m.source.Expire(m.lane.Topic, m.lane.Source, 30)
	if got := m.verify(); got.From != 30 || got.Compared != 70 || got.Missing+got.Extra+got.Natives > 0 {
		t.Fatalf("after the source's first 30 expired: %+v", got)
	}
	m.target.Expire(m.lane.Topic, m.lane.Target, 40)
	if got := m.verify(); got.From != 40 || got.Compared != 60 || got.Missing+got.Extra+got.Natives > 0 {
		t.Fatalf("after the target's first 40 expired: %+v", got)
	}
}

func TestVerifyBeginsWhereItIsTold(t *testing.T) {
	m := &model{laneFixture: newLaneFixture(t)}
	m.write(100, 3)
	for offset := range int64(100) {
		if offset != 20 && offset != 50 && offset != 70 {
			m.put(offset)
		}
		if offset == 49 {
			m.native(nil)
		}
	}
	m.commit()
	for from, want := range map[int64]verify.Report{
		0: {Compared: 97, Missing: 3, Natives: 1}, 50: {Compared: 48, Missing: 2, Natives: 1},
		60: {Compared: 39, Missing: 1}, 80: {Compared: 20}, 100: {}, 900: {},
	} {
		got, err := m.compare(verify.Options{From: from}, nil)
		if err != nil || got.Compared != want.Compared || got.Missing != want.Missing || got.Natives != want.Natives ||
			got.From != min(from, 100) ||
			got.To != 100 {
			t.Errorf("from %d: %+v, %v; wanted %+v", from, got, err, want)
		}
	}
	m.target.Expire(m.lane.Topic, m.lane.Target, 10)
	if got, err := m.compare(verify.Options{From: 70}, nil); err != nil || got.Missing != 1 || got.From != 70 {
		t.Errorf("from 70, with the beginning of the target expired: %+v, %v; wanted the missing 70 noticed", got, err)
	}
}

func TestVerifyWhileTheSourceExpires(t *testing.T) {
	m := &model{laneFixture: newLaneFixture(t)}
	m.write(300, 3)
	for offset := range int64(300) {
		m.put(offset)
	}
	m.commit()
	got, err := m.compare(verify.Options{}, func(c verify.Checkpoint) {
		if log := m.source.Log(m.lane.Topic, m.lane.Source); c.Report.Compared > 0 && log.First == 0 {
			m.source.Expire(m.lane.Topic, m.lane.Source, 290)
		}
	})
	m.source.Events = 0 // at most one pull of what has just gone
	if err != nil || got.Compared >= 300 || got.Missing+got.Extra+got.Altered+got.OutOfOrder > 0 {
		t.Fatalf("%v, %+v; wanted fewer compared and no difference", err, got)
	}
}

// A copy that is passed on keeps what its stamp says of the original's born time. Before, it was
// called altered where its own born time is that of its batch.
func TestACopyOfACopyIsComparedWithTheOriginalsBornTime(t *testing.T) {
	passed := remoting.Message{BornTimestamp: 1700000000100, Properties: []byte("KEYS\x01k\x02")}
	passed.Properties = append(passed.Properties, replica.StampProperty+"\x01"+replica.Stamp{
		Cluster: "A", Topic: "t", Broker: "b", Queue: 1, Place: "0123abcd", Offset: 7, Born: 1700000000900,
	}.String()+"\x02"...)
	copied := remoting.Message{BornTimestamp: 1700000000100, Properties: []byte("KEYS\x01k\x02")}
	copied.Properties = append(copied.Properties, replica.StampProperty+"\x01"+replica.Stamp{
		Cluster: "B", Topic: "t", Broker: "b", Queue: 1, Place: "0123abce", Offset: 3, Born: 1700000000900, Via: "A;",
	}.String()+"\x02"...)
	difference, same := replica.SameMessage(&passed, &copied)
	if !same {
		t.Error(difference)
	}
}

func TestSameMessageNamesTheFirstDifference(t *testing.T) {
	base := func() remoting.Message {
		return remoting.Message{
			Body: []byte("body"), Flag: 3, SysFlag: 0x101, BornTimestamp: 5, ReconsumeTimes: 1,
			Properties: []byte("KEYS\x01k\x02UNIQ_KEY\x01u\x02CLUSTER\x01Old\x02WAIT\x01true"),
		}
	}
	properties := func(raw string) func(*remoting.Message) {
		return func(m *remoting.Message) { m.Properties = []byte(raw) }
	}
	for _, test := range []struct {
		name   string
		change func(copied *remoting.Message)
		want   string
	}{
		{"nothing", func(*remoting.Message) {}, ""},
		{"what brokers set", properties("MSG_REGION\x01r\x02UNIQ_KEY\x01u\x02KEYS\x01k\x02TRACE_ON\x01true\x02CLUSTER\x01New\x02"), ""},
		{"the stamp", properties("UNIQ_KEY\x01u\x02KEYS\x01k\x02ROCKETSHIFT\x011,2,b,t,c\x02"), ""},
		{"transaction bits", func(m *remoting.Message) { m.SysFlag |= 8 }, ""},
		{"host bits", func(m *remoting.Message) { m.SysFlag |= 0x30 }, ""},
		{"body", func(m *remoting.Message) { m.Body = []byte("bodY") }, "first difference at byte 3"},
		{"length", func(m *remoting.Message) { m.Body = nil }, "body of 4 bytes, 0 bytes in the copy"},
		{"flag", func(m *remoting.Message) { m.Flag = 4 }, "flag 3, 4"},
		{"compression", func(m *remoting.Message) { m.SysFlag = 0x201 }, "system flag 0x101, 0x201"},
		{"born time", func(m *remoting.Message) { m.BornTimestamp = 6 }, "born at 5, 6"},
		{"reconsumed", func(m *remoting.Message) { m.ReconsumeTimes = 0 }, "reconsumed 1 times, 0"},
		{"a property is gone", properties("UNIQ_KEY\x01u\x02"), "property KEYS isn't in the copy"},
		{"a property is new", properties("KEYS\x01k\x02UNIQ_KEY\x01u\x02TAGS\x01a\x02"), "property TAGS is " +
			"in the copy only"},
		{"a property changed", properties("KEYS\x01K\x02UNIQ_KEY\x01u\x02"), `property KEYS is "k", "K"`},
		{"the unique key changed", properties("KEYS\x01k\x02UNIQ_KEY\x01U\x02"), "property UNIQ_KEY"},
	} {
		t.Run(test.name, func(t *testing.T) {
			original, copied := base(), base()
			test.change(&copied)
			difference, same := replica.SameMessage(&original, &copied)
			if same != (test.want == "") || !strings.Contains(difference, test.want) {
				t.Errorf("%q, same %v; wanted %q", difference, same, test.want)
			}
		})
	}
	without := base()
	without.Properties = nil
	copied := without
	copied.Properties = []byte("UNIQ_KEY\x01made by the target\x02")
	if difference, same := replica.SameMessage(&without, &copied); !same {
		t.Errorf("a unique key where the original had none: %s", difference)
	}
}
