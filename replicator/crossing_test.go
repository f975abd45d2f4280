package replicator

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"rocketshift/replicator/positions"
)

func TestACrossingWaitsForMoreCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bothWays(t)
		b.write(10, 10)
		p, ctx := b.positions(), context.Background()
		c, err := p.Crossing(ctx, b.lane, false)
		if err != nil || c.End() != 10 {
			t.Fatalf("end %d, %v; wanted 10", c.End(), err)
		}
		if _, err := c.Across(10); !errors.Is(err, positions.ErrNotCopiedYet) {
			t.Fatalf("%v; wanted that nothing is copied yet", err)
		}
		c, news, err := p.More(ctx, c, 20*time.Millisecond)
		if err != nil || news {
			t.Fatalf("news %t, %v; wanted none, as nobody copies", news, err)
		}
		run := b.start(fastHome)
		for begin := time.Now(); ; {
			if c, _, err = p.More(ctx, c, time.Second); err != nil {
				t.Fatal(err)
			}
			got, err := c.Across(10)
			if err == nil && got.Target == 10 && got.Exact {
				break
			}
			if !errors.Is(err, positions.ErrNotCopiedYet) || time.Since(begin) > time.Minute {
				t.Fatalf("%+v, %v; wanted 10", got, err)
			}
		}
		run.end()
		again, err := p.Crossing(ctx, b.lane, false)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := again.Across(10); err != nil || got.Target != 10 || !got.Exact {
			t.Fatalf("%+v, %v; wanted the same of a new look", got, err)
		}
	})
}

func TestACrossingDoesNotReadALongBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bothWays(t)
		const written = 100_001 // one more than a crossing looks at
		b.write(written, written)
		if _, err := b.positions().Crossing(context.Background(), b.lane, false); !errors.Is(err,
			positions.ErrNotCopiedYet) {
			t.Fatalf("%v; wanted that the lane is far behind", err)
		}
		run := b.start(fastHome)
		b.untilBoth(run, written)
		run.end()
		c, err := b.positions().Crossing(context.Background(), b.lane, false)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Across(written); err != nil || got.Target != written {
			t.Fatalf("%+v, %v; wanted %d", got, err, written)
		}
	})
}
