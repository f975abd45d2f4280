package replicator

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"rocketshift/replicator/replicatest"
	"rocketshift/replicator/verify"
)

// interrupted compares until progress is told for the nth time, and returns the checkpoint as it
// comes back from JSON.
func (m *model) interrupted(nth int, resume *verify.Checkpoint) (verify.Checkpoint, bool) {
	m.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m.target.OnPull = func(int64) error { return ctx.Err() }
	defer func() { m.target.OnPull = nil }()
	var last verify.Checkpoint
	n := 0
	_, err := m.compareUntil(ctx, verify.Options{Resume: resume}, func(c verify.Checkpoint) {
		if n++; n == nth {
			last = c
			cancel()
		}
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		m.Fatal(err)
	}
	raw, err := json.Marshal(last)
	if err != nil {
		m.Fatal(err)
	}
	var back verify.Checkpoint
	if err := json.Unmarshal(raw, &back); err != nil {
		m.Fatal(err)
	}
	return back, n >= nth
}

func (m *model) resume(c *verify.Checkpoint) verify.Report {
	m.Helper()
	report, err := m.compare(verify.Options{Resume: c}, nil)
	if err != nil {
		m.Fatal(err)
	}
	return report
}

// spoiled is a lane's history with differences of all kinds.
func spoiled(t *testing.T, random *rand.Rand) *model {
	m := &model{laneFixture: newLaneFixture(t)}
	for offset := range int64(3000) {
		m.source.Append(m.lane.Topic, m.lane.Source, replicatest.Original(offset, 3))
	}
	for offset := int64(0); offset < 3000; offset++ {
		switch random.IntN(200) {
		case 0: // missing
		case 1:
			m.native(nil)
			m.put(offset)
		case 2:
			m.put(offset)
			m.repeat(max(0, offset-random.Int64N(600)))
		case 3:
			wrong := m.stamped(offset)
			wrong.Body = []byte("another")
			m.target.Append(m.lane.Topic, m.lane.Target, wrong)
		case 4:
			m.put(offset + 1)
			m.put(offset)
			offset++
		default:
			m.put(offset)
		}
	}
	m.copied = 3000
	m.commit()
	return m
}

func TestAComparisonThatIsResumedFindsTheSame(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 9))
		m := spoiled(t, random)
		want := m.verify()
		var c *verify.Checkpoint
		stops := 0
		for {
			next, more := m.interrupted(1+random.IntN(6), c)
			if !more {
				break
			}
			c = &next
			stops++
		}
		if got := m.resume(c); !reflect.DeepEqual(got, want) {
			t.Fatalf("history %d: stopped %d times it found %+v, wanted %+v", seed, stops, got, want)
		}
		if stops == 0 || want.Missing == 0 || want.Extra == 0 || want.Altered == 0 || want.OutOfOrder == 0 {
			t.Fatalf("history %d tests little: %d stops, %+v", seed, stops, want)
		}
	}
}

func TestAResumedComparisonReadsOnlyWhatIsLeft(t *testing.T) {
	m := spoiled(t, rand.New(rand.NewPCG(1, 1)))
	c, _ := m.interrupted(10, nil)
	before := m.source.Pulled
	m.resume(&c)
	if read, left := int64(m.source.Pulled-before), c.Report.To-c.Read; read > left+100 || c.Read < 2000 {
		t.Fatalf("it read %d of the source's messages; the checkpoint was at %d of %d", read, c.Read, c.Report.To)
	}
}

func TestAComparisonBeginsAgainWhereItCantGoOn(t *testing.T) {
	for name, change := range map[string]func(m *model, c *verify.Checkpoint){
		"another lane":                    func(_ *model, c *verify.Checkpoint) { c.Report.Target.ID++ },
		"too many gaps":                   func(_ *model, c *verify.Checkpoint) { c.TooMany, c.Gaps = true, nil },
		"the target is shorter than then": func(_ *model, c *verify.Checkpoint) { c.TargetEnd += 10_000 },
		"the source is shorter than then": func(_ *model, c *verify.Checkpoint) { c.Report.To += 10_000 },
	} {
		t.Run(name, func(t *testing.T) {
			m := spoiled(t, rand.New(rand.NewPCG(2, 2)))
			want := m.verify()
			c, _ := m.interrupted(5, nil)
			c.Report.Compared = 1_000_000 // is seen if it goes on
			change(m, &c)
			if got := m.resume(&c); !reflect.DeepEqual(got, want) {
				t.Fatalf("it found %+v, wanted %+v", got, want)
			}
		})
	}
	m := spoiled(t, rand.New(rand.NewPCG(2, 2)))
	c, _ := m.interrupted(3, nil)
	m.target.Expire(m.lane.Topic, m.lane.Target, 1500)
	if got := m.resume(&c); got.From < 1000 {
		t.Errorf("after the place on the target expired: %+v, wanted a comparison of what is left", got)
	}
	m = spoiled(t, rand.New(rand.NewPCG(2, 2)))
	c, _ = m.interrupted(3, nil)
	m.source.Expire(m.lane.Topic, m.lane.Source, 1500)
	if got := m.resume(&c); got.Compared >= 2990 || got.Compared < 1450 || got.Missing > 20 {
		t.Errorf("after the place on the source expired: %+v", got)
	}
}

func TestACheckpointStaysSmall(t *testing.T) {
	m := &model{laneFixture: newLaneFixture(t)}
	for offset := range int64(2000) {
		m.source.Append(m.lane.Topic, m.lane.Source, replicatest.Original(offset, 3))
		if offset%2 == 0 {
			m.put(offset)
		}
	}
	m.copied = 2000
	m.commit()
	c, _ := m.interrupted(3, nil)
	if !c.TooMany || len(c.Gaps) > 0 {
		t.Fatalf("with every other message missing it is %+v", c)
	}
	if got, want := m.resume(&c), m.verify(); !reflect.DeepEqual(got, want) || got.Missing != 1000 {
		t.Fatalf("resumed, it found %+v, wanted %+v", got, want)
	}
}
