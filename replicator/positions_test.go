package replicator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replicatest"
)

// model is a lane with a known history, on which every answer can be worked out by counting.
type model struct {
	*laneFixture
	first, copied int64   // source offsets [first, copied) have copies
	content       []int64 // per target position: the source offset whose copy it is, -1 for natives and repeats
}

// randomModel makes a lane's history: copies in order, between them natives, natives with old
// stamps, and repeated batches.
func randomModel(t *testing.T, random *rand.Rand) *model {
	m := &model{laneFixture: newLaneFixture(t)}
	m.first = random.Int64N(20)
	m.write(int(m.first)+random.IntN(150), 3)
	m.copied = m.first
	length := int64(len(m.source.All(m.lane.Topic, m.lane.Source)))
	disorder := []float64{0, 0.02, 0.3}[random.IntN(3)]
	for m.copied < length && random.IntN(200) > 0 {
		switch {
		case random.Float64() >= disorder:
			m.put(m.copied)
		case random.IntN(3) == 0:
			m.native(nil)
		case m.copied > m.first && random.IntN(2) == 0:
			m.native(stored(m.stamps(), nil, m.first+random.Int64N(m.copied-m.first)))
		default:
			for back := max(m.first, m.copied-1-random.Int64N(5)); back < m.copied; back++ {
				m.repeat(back)
			}
		}
	}
	m.source.Groups[m.options.Group], m.target.Groups[m.options.Group] = true, true
	m.commit()
	begin := m.first
	if random.IntN(4) == 0 {
		begin += random.Int64N(m.copied - m.first + 1)
	}
	m.source.Expire(m.lane.Topic, m.lane.Source, begin)
	return m
}

func (m *model) stamped(offset int64) remoting.Message {
	copied := replicatest.Original(offset, 3)
	copied.Properties = stored(m.stamps(), copied.Properties, offset)
	return copied
}

func (m *model) put(offset int64) {
	m.target.Append(m.lane.Topic, m.lane.Target, m.stamped(offset))
	m.content = append(m.content, offset)
	m.copied = offset + 1
}

func (m *model) repeat(offset int64) {
	m.target.Append(m.lane.Topic, m.lane.Target, m.stamped(offset))
	m.content = append(m.content, -1)
}

func (m *model) native(properties []byte) {
	m.target.Append(m.lane.Topic, m.lane.Target, native(properties))
	m.content = append(m.content, -1)
}

// commit writes what the lane would: the hint after the newest copy, and its progress.
func (m *model) commit() {
	hint := int64(len(m.content))
	for hint > 0 && m.content[hint-1] < 0 {
		hint--
	}
	if hint == 0 {
		hint = int64(len(m.content))
	}
	m.target.Log(m.lane.Topic, m.lane.Target).Positions[m.options.Group] = hint
	m.source.Log(m.lane.Topic, m.lane.Source).Positions[m.options.Group] = m.copied
}

// eachModel runs a check on many histories, and names the one that fails.
func eachModel(t *testing.T, check func(t *testing.T, m *model, random *rand.Rand)) {
	for seed := range uint64(150) {
		t.Run(fmt.Sprint("history ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			check(t, randomModel(t, random), random)
		})
	}
}

func TestForwardNeverSkipsAnUnreadMessageAndIsExactWhereItCanBe(t *testing.T) {
	eachModel(t, func(t *testing.T, m *model, random *rand.Rand) {
		kept := m.positions()
		begin := m.source.Log(m.lane.Topic, m.lane.Source).First
		offsets := random.Perm(int(m.copied) + 1)
		for _, o := range offsets[:min(len(offsets), 40)] {
			offset := max(int64(o), begin) // a position before the queue's first message is as good as that
			for name, p := range map[string]*positions.Positions{"kept": kept, "new": m.positions()} {
				got, err := p.Forward(context.Background(), m.lane, int64(o))
				if err != nil {
					t.Fatalf("%s: forward %d: %v", name, o, err)
				}
				after, next, natives := int64(0), int64(len(m.content)), int64(0)
				for position, copied := range m.content {
					if copied >= 0 && copied < offset {
						after = int64(position) + 1
					}
				}
				for position, copied := range m.content {
					if copied >= offset {
						next = int64(position)
						break
					}
				}
				for _, copied := range m.content[:after] {
					if copied < 0 {
						natives++
					}
				}
				want := positions.Translation{Target: after, Exact: after == next, Unread: natives}
				if got != want {
					t.Fatalf("%s: forward %d: %+v, wanted %+v in %v", name, o, got, want, m.content)
				}
			}
		}
	})
}

func TestBackNeverSkipsACopyAndCountsTheNativesThatAreLeftBehind(t *testing.T) {
	eachModel(t, func(t *testing.T, m *model, random *rand.Rand) {
		begin := m.source.Log(m.lane.Topic, m.lane.Source).First
		for position := range len(m.content) + 1 {
			got, err := m.positions().Back(context.Background(), m.lane, int64(position))
			if err != nil {
				t.Fatalf("back %d: %v", position, err)
			}
			last, next, natives := int64(-1), m.copied, int64(0)
			for _, copied := range m.content[:position] {
				last = max(last, copied)
			}
			for i := len(m.content) - 1; i >= position; i-- {
				if m.content[i] < 0 {
					natives++
				} else {
					next = m.content[i]
				}
			}
			want := positions.Translation{Target: max(last+1, begin), Exact: true, Unread: natives}
			if next < want.Target && next < m.copied {
				want.Exact, want.Unread = false, natives+want.Target-next // expired on the source
			}
			if got != want {
				t.Fatalf("back %d: %+v, wanted %+v; the source begins at %d, the target holds %v", position,
					got, want, begin, m.content)
			}
		}
	})
}

func TestPositionsOfAnUndisturbedLaneAreExactBothWays(t *testing.T) {
	m := &model{laneFixture: newLaneFixture(t)}
	m.write(3000, 3)
	for offset := range int64(3000) {
		m.put(offset)
	}
	m.source.Groups[m.options.Group], m.target.Groups[m.options.Group] = true, true
	m.commit()
	m.target.Pulls = 0
	for _, offset := range []int64{0, 1, 1499, 2999, 3000} {
		forward, err := m.positions().Forward(context.Background(), m.lane, offset)
		if want := (positions.Translation{Target: offset, Exact: true}); err != nil || forward != want {
			t.Errorf("forward %d: %+v, %v", offset, forward, err)
		}
		back, err := m.positions().Back(context.Background(), m.lane, offset)
		if want := (positions.Translation{Target: offset, Exact: true}); err != nil || back != want {
			t.Errorf("back %d: %+v, %v", offset, back, err)
		}
	}
	if m.target.Pulls > 150 {
		t.Errorf("%d pulls for ten translations: long runs of copies should be found by probes", m.target.Pulls)
	}
}

func TestForwardOfWhatIsNotCopiedYetSaysSo(t *testing.T) {
	m := &model{laneFixture: newLaneFixture(t)}
	m.write(10, 3)
	for offset := range int64(4) {
		m.put(offset)
	}
	p := m.positions()
	for offset, want := range map[int64]error{4: nil, 5: positions.ErrNotCopiedYet, 10: positions.ErrNotCopiedYet, 99: positions.ErrNotCopiedYet} {
		if _, err := p.Forward(context.Background(), m.lane, offset); !errors.Is(err, want) {
			t.Errorf("forward %d: %v, wanted %v", offset, err, want)
		}
	}
	for offset := int64(4); offset < 10; offset++ {
		m.put(offset)
	}
	for _, offset := range []int64{10, 99} { // nobody reads after the end of the queue
		got, err := p.Forward(context.Background(), m.lane, offset)
		if want := (positions.Translation{Target: 10, Exact: true}); err != nil || got != want {
			t.Errorf("forward %d of a lane that caught up: %+v, %v", offset, got, err)
		}
	}
}

func TestForwardWaitsForCopiesThatTheTargetDoesNotShowYet(t *testing.T) {
	m := &model{laneFixture: newLaneFixture(t)}
	m.write(10, 3)
	for offset := range int64(10) {
		m.put(offset)
	}
	m.commit()
	log := m.target.Log(m.lane.Topic, m.lane.Target)
	stored := log.Messages
	log.Messages = stored[:8]
	if got, err := m.positions().Forward(context.Background(), m.lane, 10); !errors.Is(err, positions.ErrNotCopiedYet) {
		t.Fatalf("forward: %+v, %v; wanted %v while two copies aren't shown", got, err, positions.ErrNotCopiedYet)
	}
	log.Messages = stored
	if got, err := m.positions().Forward(context.Background(), m.lane, 10); err != nil || got.Target != 10 {
		t.Fatalf("forward: %+v, %v", got, err)
	}
}

func TestPositionsOfALaneWithoutAnyMessage(t *testing.T) {
	m := &model{laneFixture: newLaneFixture(t)}
	for name, move := range map[string]func(*positions.Positions, context.Context, lane.Lane, int64) (positions.Translation, error){"forward": (*positions.Positions).Forward, "back": (*positions.Positions).Back} {
		for _, position := range []int64{0, 7} {
			got, err := move(m.positions(), context.Background(), m.lane, position)
			if want := (positions.Translation{Exact: true}); err != nil || got != want {
				t.Errorf("%s %d: %+v, %v", name, position, got, err)
			}
		}
	}
}

func TestNativesAreCountedAndPlaced(t *testing.T) {
	eachModel(t, func(t *testing.T, m *model, _ *rand.Rand) {
		var want positions.Natives
		if want.First = int64(slices.Index(m.content, -1)); want.First < 0 {
			want.First = 0
		}
		for position, copied := range m.content {
			if copied < 0 {
				want.Count++
				want.Last = int64(position)
			}
		}
		if got, err := m.positions().Natives(context.Background(), m.lane); err != nil || got != want {
			t.Fatalf("%+v, %v; wanted %+v in %v", got, err, want, m.content)
		}
	})
}

func TestProgressOfALaneThatHasNotStarted(t *testing.T) {
	b := newLaneFixture(t)
	b.write(10, 1)
	b.source.Expire(b.lane.Topic, b.lane.Source, 4)
	if copied, end, err := b.positions().Progress(context.Background(), b.lane); copied != 4 || end != 10 ||
		err != nil {
		t.Fatalf("copied %d of %d, %v; wanted 4 of 10", copied, end, err)
	}
}

func TestCutsAreForgottenWhenTheTargetIsMadeAnew(t *testing.T) {
	m := &model{laneFixture: newLaneFixture(t)}
	m.write(10, 3)
	m.native(nil)
	for offset := range int64(10) {
		m.put(offset)
	}
	p := m.positions()
	if got, err := p.Forward(context.Background(), m.lane, 5); err != nil || got.Target != 6 {
		t.Fatalf("forward: %+v, %v", got, err)
	}
	m.target.Empty(m.lane.Topic, m.lane.Target)
	m.native(nil)
	m.native(nil)
	for offset := range int64(6) {
		m.put(offset)
	}
	if got, err := p.Forward(context.Background(), m.lane, 5); err != nil || got.Target != 7 {
		t.Fatalf("forward on the new queue: %+v, %v; wanted 7", got, err)
	}
}

// What is still to come back from a target is counted by this: copies that stand between natives
// are none of it.
func TestNativesFromAPositionLeaveCopiesOut(t *testing.T) {
	eachModel(t, func(t *testing.T, m *model, _ *rand.Rand) {
		p := m.positions()
		for position := range len(m.content) + 1 {
			got, err := p.NativesFrom(context.Background(), m.lane, int64(position))
			if err != nil {
				t.Fatal(err)
			}
			want := int64(0)
			for _, copied := range m.content[position:] {
				if copied < 0 {
					want++
				}
			}
			if got != want {
				t.Fatalf("natives from %d: %d, wanted %d in %v", position, got, want, m.content)
			}
		}
	})
}
