package verify

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
	"rocketshift/replicator/replicatest"
)

// moody is a side that gives as much as it likes, and counts the pulls in flight.
type moody struct {
	*replicatest.Side
	give   func(offset int64) int
	flying atomic.Int32
	most   atomic.Int32
	gate   chan struct{} // if set, the pulls wait here
}

func (m *moody) Pull(
	ctx context.Context,
	group, topic string,
	q lane.Queue,
	offset int64,
	most int,
	wait time.Duration,
) (rocketmq.PullResult, error) {
	now := m.flying.Add(1)
	defer m.flying.Add(-1)
	for seen := m.most.Load(); now > seen && !m.most.CompareAndSwap(seen, now); seen = m.most.Load() {
	}
	if m.gate != nil {
		m.gate <- struct{}{}
	}
	if m.give != nil {
		most = min(most, m.give(offset))
	}
	return m.Side.Pull(ctx, group, topic, q, offset, most, wait)
}

// cursorOver returns a cursor over a fake's queue of n messages.
func cursorOver(t *testing.T, n int, give func(offset int64) int) (*moody, *cursor) {
	source, at := replicatest.NewSide("Old"), lane.Queue{Broker: "broker-a", ID: 1}
	t.Cleanup(func() {
		if source.Events > 0 {
			t.Errorf("%d pulls outside of the queue: brokers write an event message for each", source.Events)
		}
	})
	for offset := range int64(n) {
		source.Append("orders", at, replicatest.Original(offset, 3))
	}
	side := &moody{Side: source, give: give}
	return side, newCursor(replica.Reader{Side: side, Group: "g", Topic: "orders", Queue: at}, 0, int64(n))
}

// allOf takes what is left.
func allOf(t *testing.T, c *cursor) (positions []int64) {
	t.Helper()
	defer c.close()
	for {
		m, more, err := c.peek(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return positions
		}
		if m.Position != m.QueueOffset {
			t.Fatalf("message %d came as %d", m.QueueOffset, m.Position)
		}
		c.take()
		positions = append(positions, m.Position)
	}
}

func upTo(from, to int64) (all []int64) {
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}

func TestCursorReadsEachMessageOnceHoweverMuchAPullBrings(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var mu sync.Mutex
	anything := func(int64) int {
		mu.Lock()
		defer mu.Unlock()
		return 1 + random.IntN(40)
	}
	for name, give := range map[string]func(int64) int{
		"as asked": nil, "anything": anything, "one": func(int64) int { return 1 },
		"little at first":    func(offset int64) int { return 8 + int(offset/500)*24 },
		"little at last":     func(offset int64) int { return 32 - int(offset/500)*10 },
		"more than a stride": func(offset int64) int { return int(32 - offset%2*30) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{0, 1, 31, 32, 33, 256, 257, 1777} {
				side, c := cursorOver(t, n, give)
				if got := allOf(t, c); !slices.Equal(got, upTo(0, int64(n))) {
					t.Fatalf("of %d messages it read %v", n, got)
				}
				if side.Pulled != n {
					t.Errorf("%d messages were pulled, wanted %d, each once", side.Pulled, n)
				}
				if most := side.most.Load(); most > replica.MaxReads {
					t.Errorf("%d pulls were in flight, wanted %d at most", most, replica.MaxReads)
				}
			}
		})
	}
}

func TestCursorHasSeveralPullsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		side, c := cursorOver(t, 1000, nil)
		side.gate = make(chan struct{})
		done := make(chan []int64)
		go func() { done <- allOf(t, c) }()
		<-side.gate     // the first answer shows how much a pull brings
		synctest.Wait() // all that it asks for before the next answer waits at the gate
		before := side.flying.Load()
		if before < 2 || before > replica.MaxReads {
			t.Errorf("%d pulls in flight after the first answer, wanted 2 to %d", before, replica.MaxReads)
		}
		for {
			select {
			case <-side.gate:
				synctest.Wait()
			case got := <-done:
				if !slices.Equal(got, upTo(0, 1000)) {
					t.Fatalf("it read %v", got)
				}
				if most := side.most.Load(); most != replica.MaxReads {
					t.Errorf("at most %d pulls were in flight, wanted %d", most, replica.MaxReads)
				}
				return
			}
		}
	})
}

func TestCursorAsksForMoreAgainAfterItGotLittle(t *testing.T) {
	side, c := cursorOver(t, 20_000, func(offset int64) int {
		if offset < 200 {
			return 2
		}
		return 32
	})
	allOf(t, c)
	if side.Pulls > 1000 { // 100 small ones, 620 full ones, and some to find out
		t.Fatalf("%d pulls for 20,000 messages", side.Pulls)
	}
}

func TestCursorReadsLessAheadWhereMessagesAreLarge(t *testing.T) {
	source, at := replicatest.NewSide("Old"), lane.Queue{Broker: "broker-a", ID: 1}
	for range 100 {
		source.Append("orders", at, remoting.Message{Body: make([]byte, maxAhead/3)})
	}
	side := &moody{Side: source, give: func(int64) int { return 1 }}
	c := newCursor(replica.Reader{Side: side, Topic: "orders", Queue: at}, 0, 100)
	if got := allOf(t, c); len(got) != 100 {
		t.Fatalf("it read %d messages", len(got))
	}
	if most := side.most.Load(); most > 2 {
		t.Fatalf("%d pulls were in flight, wanted two", most)
	}
}

func TestCursorGoesOnBehindWhatExpiredOrIsLeftOut(t *testing.T) {
	side, c := cursorOver(t, 2000, nil)
	side.Hidden = map[int64]bool{0: true, 5: true, 31: true, 32: true, 1999: true}
	want := slices.DeleteFunc(upTo(0, 2000), func(i int64) bool { return side.Hidden[i] })
	if got := allOf(t, c); !slices.Equal(got, want) {
		t.Fatalf("with messages left out it read %v", got)
	}
	side, c = cursorOver(t, 2000, nil)
	if m, more, err := c.peek(context.Background()); err != nil || !more || m.Position != 0 {
		t.Fatalf("the first message: %v, %v, %v", m, more, err)
	}
	c.pulls.Wait()
	side.Expire("orders", lane.Queue{Broker: "broker-a", ID: 1}, 1500)
	got := allOf(t, c)
	if pulled := got[len(got)-500-1]; !slices.Equal(got[len(got)-500:], upTo(1500, 2000)) ||
		pulled > replica.MaxReads*replica.PageMessages {
		t.Fatalf("after the first 1500 expired it read %v", got)
	}
	side.Events = 0 // what was in flight may be answered from outside of the queue
}

func TestCursorSeeksForwardOnly(t *testing.T) {
	_, c := cursorOver(t, 300, nil)
	c.seek(100)
	c.seek(50)
	if got := allOf(t, c); !slices.Equal(got, upTo(100, 300)) {
		t.Fatalf("from 100 on it read %v", got)
	}
	_, c = cursorOver(t, 300, nil)
	c.seek(300)
	if got := allOf(t, c); len(got) > 0 {
		t.Fatalf("from the end on it read %v", got)
	}
}

func TestCursorFailsWhereThePullFailsAndNotBefore(t *testing.T) {
	side, c := cursorOver(t, 300, nil)
	broken := errors.New("broken")
	side.OnPull = func(offset int64) error {
		if offset >= 96 {
			return broken
		}
		return nil
	}
	defer c.close()
	for want := range int64(96) {
		if m, more, err := c.peek(context.Background()); err != nil || !more || m.Position != want {
			t.Fatalf("message %d: %v, %v, %v", want, m.Position, more, err)
		}
		c.take()
	}
	if _, _, err := c.peek(context.Background()); !errors.Is(err, broken) {
		t.Fatalf("behind message 95: %v", err)
	}
}
