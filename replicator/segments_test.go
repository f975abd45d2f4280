package replicator

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
)

// wantSegments checks segments against what the two queues hold: each pairs equal messages, each
// message that is on both sides is in one, and cuts are where the same messages lie before them.
func (b *laneFixture) wantSegments(segments []positions.Segment) {
	b.Helper()
	source, target := b.bodies(b.source, b.lane.Source), b.bodies(b.target, b.lane.Target)
	paired, at := int64(0), int64(0)
	for _, s := range segments {
		if s.Source < at {
			b.Fatalf("%+v: segments overlap or aren't in order", segments)
		}
		at = s.Source + s.Length
		paired += s.Length
		for i := range s.Length {
			if source[s.Source+i] != target[s.Target+i] {
				b.Fatalf("%+v: %q is not %q", s, source[s.Source+i], target[s.Target+i])
			}
		}
		if same := sameSet(source[:s.Source], target[:s.Target]); same != s.Cut {
			b.Fatalf("%+v: before it lie %q on the source and %q on the target", s, source[:s.Source],
				target[:s.Target])
		}
	}
	if paired != int64(len(source)) {
		b.Fatalf("%+v pair %d messages, wanted %d", segments, paired, len(source))
	}
	if last := segments[len(segments)-1]; !last.Cut || last.Source+last.Length != int64(len(source)) {
		b.Fatalf("the queues end with the same messages, at %d, and the last segment is %+v", len(source), last)
	}
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// told collects what a replicator publishes.
type told struct {
	mu  sync.Mutex
	all []positions.Segment
}

func (c *told) copied(_ lane.Lane, segments []positions.Segment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, segments...)
}

// inOrder are the segments told so far, in the order of the source, with cuts marked as between two
// complete queues of that length.
func (c *told) inOrder(length int) []positions.Segment {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, positions.Segment{Source: int64(length), Target: int64(length)})
	all := slices.SortedFunc(slices.Values(c.all), func(a, b positions.Segment) int { return int(a.Source - b.Source) })
	positions.MarkCuts(all, 1<<40, 1<<40)
	return positions.Joined(all)
}

func TestSegmentsPairWhatIsOnBothSidesAndShowCuts(t *testing.T) {
	for seed := range uint64(15) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 4))
				b := bothWays(t)
				b.options.BatchMessages = 1 + random.IntN(20)
				b.slowly(seed)
				published := &told{}
				b.options.Copied = published.copied
				run := b.start(fastHome)
				b.send(b.source, b.lane.Source, "s-first",
					nil) // the reverse lane begins behind what the target holds before it
				b.untilBoth(run, 1)
				p, total := b.positions(), 1
				for range 8 {
					for range 1 + random.IntN(40) {
						f, q, side := b.source, b.lane.Source, "s"
						if random.IntN(2) == 0 {
							f, q, side = b.target, b.lane.Target, "t"
						}
						time.Sleep(time.Duration(random.IntN(2000)) * time.Microsecond)
						for range 1 + random.IntN(4) {
							b.send(f, q, fmt.Sprint(side, total), nil)
							total++
						}
					}
					b.untilBoth(run, total)
					segments, err := p.Segments(context.Background(), b.lane)
					if err != nil {
						t.Fatal(err)
					}
					b.wantSegments(segments)
				}
				run.end()
				b.wantSegments(published.inOrder(total))
			})
		})
	}
}

func TestNoCutFollowsWhatIsOnOneSideOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := tenCopied(t)
		b.send(b.target, b.lane.Target, "t0", nil) // nobody copies it
		segments, err := b.positions().Segments(context.Background(), b.lane)
		want := []positions.Segment{{Source: 0, Target: 0, Length: 10, Cut: true}}
		if err != nil || !slices.Equal(segments, want) {
			t.Errorf("%+v, %v; wanted %+v and no cut behind it", segments, err, want)
		}
	})
}
