package replicator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
)

// wantAcross checks a translation against what the two queues hold: the reader has read everything
// before the position here.
func wantAcross(
	t *testing.T,
	p *positions.Positions,
	lane lane.Lane,
	here, there []string,
	ours func(body string) bool,
	position int64,
) {
	t.Helper()
	got, err := p.Across(context.Background(), lane, position)
	if err != nil {
		t.Fatalf("%s, position %d: %v", lane, position, err)
	}
	read := here[:position]
	want, repeats := int64(len(there)), int64(0)
	for at, body := range slices.Backward(there) {
		if ours(body) && !slices.Contains(read, body) {
			want = int64(at)
		}
	}
	for _, body := range there[want:] {
		if slices.Contains(read, body) {
			repeats++
		}
	}
	if got.Target != want || got.Repeats != repeats || got.Exact != (repeats == 0) {
		t.Fatalf("%s, position %d of %q: %+v, wanted position %d of %q, %d repeats", lane, position, here, got,
			want, there, repeats)
	}
}

func all(string) bool { return true }

func TestPositionsGoAcrossToTheFirstUnreadMessageAndBack(t *testing.T) {
	for seed := range uint64(15) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 3))
				b := bothWays(t)
				b.options.BatchMessages = 1 + random.IntN(20)
				b.slowly(seed)
				run := b.start(fastHome)
				total := 0
				b.send(b.source, b.lane.Source, "s-first", nil)
				b.untilBoth(run, 1)
				total++
				p := b.positions()
				back := positions.Of(b.target, b.source, b.options.Back())
				for range 8 {
					for range random.IntN(40) { // now and then both at the same time
						f, q, side := b.source, b.lane.Source, "s"
						if random.IntN(2) == 0 {
							f, q, side = b.target, b.lane.Target, "t"
						}
						var properties []byte
						if held := f.All(b.lane.Topic, q); random.IntN(4) == 0 {
							properties = held[random.IntN(len(held))].Properties
						}
						time.Sleep(time.Duration(random.IntN(2000)) * time.Microsecond)
						for range 1 + random.IntN(4) {
							b.send(f, q, fmt.Sprint(side, total), properties)
							total++
						}
					}
					b.untilBoth(run, total)
					source, target := b.bodies(b.source, b.lane.Source), b.bodies(b.target, b.lane.Target)
					for range 20 {
						wantAcross(t, p, b.lane, source, target, all, random.Int64N(int64(total)+1))
						wantAcross(t, back, b.lane.Back(), target, source, all, random.Int64N(int64(total)+1))
					}
				}
				run.end()
			})
		})
	}
}

func TestPositionsGoAcrossBeforeEverythingIsCopiedBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := tenCopied(t)
		b.send(b.target, b.lane.Target, "t0", nil) // nobody copies it
		got, err := b.positions().Across(context.Background(), b.lane, 10)
		if err != nil || got.Target != 10 || !got.Exact {
			t.Errorf("%+v, %v; wanted 10, where the message is that isn't on the source yet", got, err)
		}
		b.write(1, 1)
		back := b.positions().Reversed()
		for at := range int64(11) {
			if got, err := back.Across(context.Background(), b.lane.Back(), at); err != nil || got.Target != at ||
				!got.Exact {
				t.Errorf(
					"back from %d: %+v, %v; wanted the same, before the message that isn't on the target yet",
					at, got, err,
				)
			}
		}
		if _, err := b.positions().Across(context.Background(), b.lane, 11); !errors.Is(err,
			positions.ErrNotCopiedYet) {
			t.Errorf("%v; wanted that the last message isn't copied yet", err)
		}
		if got, err := b.positions().Across(context.Background(), b.lane, 4); err != nil || got.Target != 4 {
			t.Errorf("%+v, %v; wanted 4", got, err)
		}
	})
}

// The ends of the two queues are asked for at the same time: the target may show the copy of a
// message that the source's end doesn't count yet.
func TestPositionsGoAcrossWhileTheNewestMessagesAreBeingCopied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bothWays(t)
		run := b.start(fastHome)
		b.send(b.source, b.lane.Source, "s0", nil)
		b.untilBoth(run, 1)
		b.send(b.target, b.lane.Target, "t0", nil)
		b.untilBoth(run, 2)
		for n := 1; n < 5; n++ {
			b.send(b.source, b.lane.Source, fmt.Sprint("s", n), nil)
		}
		b.untilBoth(run, 6)
		run.end()
		source, target := b.bodies(b.source, b.lane.Source), b.bodies(b.target, b.lane.Target)
		b.source.Set(
			func() { b.source.Log(b.lane.Topic, b.lane.Source).Positions[b.options.Back().Group] = 2 },
		) // after t0: no later commit
		for unshown := range int64(4) {
			b.source.Hide(unshown)
			p := b.positions()
			for at := range int64(len(source)) - unshown + 1 {
				wantAcross(t, p, b.lane, source, target, all, at)
			}
		}
	})
}

// Brokers show messages milliseconds after they acknowledged them. What a lane has copied and
// nobody can see yet is not what it has left out: a reader that has read up to where the queue
// seems to end would skip it on the way back, and read it again on the way there.
func TestPositionsGoAcrossOnceTheCopiesShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := tenCopied(t)
		var p *positions.Positions
		for _, one := range []struct {
			name string
			is   func(ctx context.Context) (positions.Translation, error)
			want int64
		}{
			{"back", func(ctx context.Context) (positions.Translation, error) {
				return p.Reversed().Across(ctx, b.lane.Back(), 7)
			}, 7},
			{"there", func(ctx context.Context) (positions.Translation, error) { return p.Across(ctx, b.lane, 10) }, 10},
			{"there, after more copies", func(ctx context.Context) (positions.Translation, error) {
				c, err := p.Crossing(ctx, b.lane, false)
				if err != nil {
					return positions.Translation{}, err
				}
				for {
					if c, _, err = p.More(ctx, c, 10*time.Millisecond); err != nil {
						return positions.Translation{}, err
					}
					if got, err := c.Across(10); err == nil || ctx.Err() != nil {
						return got, err
					}
				}
			}, 10},
		} {
			p = b.positions() // who has seen none of them
			b.target.Hide(3)
			soon, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			if got, err := one.is(soon); err == nil {
				t.Errorf("%s: %+v while copies don't show; wanted none", one.name, got)
			}
			cancel()
			found := make(chan error, 1)
			go func() {
				got, err := one.is(t.Context())
				if err == nil && (got.Target != one.want || !got.Exact) {
					err = fmt.Errorf("%+v", got)
				}
				found <- err
			}()
			b.target.Hide(0)
			if err := <-found; err != nil {
				t.Errorf("%s: %v; wanted %d, exactly", one.name, err, one.want)
			}
		}
	})
}

func TestPositionsGoAcrossPastWhatTheTargetHeldBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := behindOthers(t)
		source, target := b.bodies(b.source, b.lane.Source), b.bodies(b.target, b.lane.Target)
		for at := range int64(len(source) + 1) {
			wantAcross(t, b.positions(), b.lane, source, target, func(body string) bool { return body[0] != 'x' }, at)
		}
	})
}

func TestPositionsGoAcrossLongHistoriesWithFewReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const each = 4_000
		b := bothWays(t)
		run := b.start(fastHome)
		b.write(each, each)
		b.untilBoth(run, each)
		for n := range each {
			b.send(b.target, b.lane.Target, fmt.Sprint("t", n), nil)
		}
		b.untilBoth(run, 2*each)
		run.end()
		b.source.Pulled, b.target.Pulled = 0, 0
		back := b.positions().Reversed()
		for _, at := range []int64{5, each, each + each/2, 2*each - 1} {
			got, err := back.Across(context.Background(), b.lane.Back(), at)
			if err != nil || got.Target != at || !got.Exact {
				t.Errorf("position %d: %+v, %v; wanted the same, exactly", at, got, err)
			}
		}
		if found, err := back.Reversed().Natives(context.Background(), b.lane); err != nil ||
			found != (positions.Natives{Count: each, First: each, Last: 2*each - 1}) {
			t.Errorf("%+v, %v; wanted the natives behind the history", found, err)
		}
		if pulled := b.source.Pulled + b.target.Pulled; pulled > each/4 {
			t.Errorf("%d messages read of %d", pulled, 4*each)
		}
	})
}
