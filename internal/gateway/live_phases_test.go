package gateway

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
)

// A gateway is killed in every phase of every kind of move, in both directions, under load. What it is after a restart is the old state or the new
// one as a whole; whoever asks for the same move again gets it done once; nothing is lost, and no attempt to send a message is stored twice.
func TestLiveAGatewayKilledInAnyPhaseOfAMoveIsWhereItWasOrWhereItWent(t *testing.T) {
	t.Parallel()
	r := newRig(t, "phases")
	r.once = true
	orders, billing := r.topic("phases-orders", 2), r.group("phases-billing")
	r.replicate()
	w := &walk{rig: r, phase: filepath.Join(t.TempDir(), "phase")}
	w.start()
	ordered := r.consume(billing, orders, 1, true)
	r.warmUp(orders, ordered)
	w.load = r.produce(orders, "key", 8, 5*time.Millisecond)
	w.load.again = true
	for _, m := range []Move{
		{Kind: KindSide, Groups: []string{billing}},
		{Kind: KindHome, Topics: []string{orders}},
		{Kind: KindAuthority},
	} {
		if m.Kind == KindAuthority { // which moves when something is on the target only
			w.moves(Move{Kind: KindSide, Groups: []string{billing}, To: target.String()})
			w.moves(Move{Kind: KindHome, Topics: []string{orders}, To: target.String()})
		}
		for range 2 {
			w.there(m, phasePrepared, phaseProved, phaseReady, phaseWritten, phaseReplaced)
		}
		for range 2 {
			w.there(m, phaseCommitted)
		}
	}
	w.flows(ordered)
	w.load.end()
	ordered.untilRead(w.load)
	v := ordered.judge(w.load)
	w.everyAttemptOnce(orders)
	t.Logf("%d kills; %d messages, %d attempts failed at a kill; %d read again, as their position wasn't committed or their producer sent them again",
		w.kills, w.load.sent.Load(), len(w.load.errors), v.duplicated)
	assert.Zero(t, v.lost)
}

// walk is a gateway that is killed on and on.
type walk struct {
	*rig
	process *gatewayProcess
	phase   string // the file that says in which one the gateway dies
	load    *load
	to      map[string]side // where the last move of a kind went
	kills   int
}

// there moves to the other side than last time, and kills the gateway in each of the phases, one life each.
func (w *walk) there(m Move, phases ...string) {
	w.Helper()
	if w.to == nil {
		w.to = map[string]side{}
	}
	to := w.to[m.Kind].other()
	w.to[m.Kind] = to
	m.To, m.Budget = to.String(), Duration(2*time.Second)
	m.ID = fmt.Sprint(m.Kind, w.kills)
	before := w.state()
	for _, phase := range phases {
		what := fmt.Sprintf("%s to %s, killed when it was %s", m.Kind, m.To, phase)
		at := w.load.sent.Load()
		w.eventually("producers go on", func() bool { return w.load.sent.Load() > at+20 })
		w.untilItDies(m, phase)
		w.start()
		if phase != phaseReplaced && phase != phaseCommitted {
			require.Equal(w, before, w.state(), what)
			continue
		}
		after := w.state()
		require.Equal(w, before.epoch+1, after.epoch, what)
		require.Equal(w, to, after.of(m.Kind), what)
		was, err := w.process.client.Move(w.ctx, m)
		require.NoError(w, err, what)
		require.True(w, was.Done && was.Moved > 0 && was.Epoch == after.epoch, "%s: asked again: %+v", what, was)
		require.Equal(w, after, w.state(), what)
	}
}

// moves moves something with nobody killed.
func (w *walk) moves(m Move) {
	w.Helper()
	w.eventually(m.Kind+" moves to the "+m.To, func() bool {
		m.ID, m.Budget = fmt.Sprint(m.Kind, "-", moveNumber.Add(1)), Duration(2*time.Second)
		was, err := w.process.client.Move(w.ctx, m)
		return err == nil && was.Done
	})
}

// start begins the gateway's next life.
func (w *walk) start() {
	w.Helper()
	require.NoError(w, os.WriteFile(w.phase, nil, 0o600))
	w.process = w.spawn(diesIn + "=" + w.phase)
	_, err := w.process.client.Use(w.ctx, w.migration())
	require.NoError(w, err)
}

// untilItDies asks for a move until the gateway dies in it: what hinders a move under load, and just after a restart, passes.
func (w *walk) untilItDies(m Move, phase string) {
	w.Helper()
	w.kills++
	require.NoError(w, os.WriteFile(w.phase, []byte(phase), 0o600))
	ctx, cancel := context.WithTimeout(w.ctx, 30*time.Second)
	defer cancel()
	for why := ""; ; {
		was, err := w.process.client.Move(ctx, m)
		var no *RefusedError
		if err != nil && !errors.As(err, &no) {
			require.NoError(w, ctx.Err(), "%s to %s doesn't get there: %s", m.Kind, m.To, why)
			require.ErrorContains(w, err, "doesn't answer")
			break
		}
		require.False(w, was.Done, "%+v", was)
		why = fmt.Sprint(was.Reason, " ", err)
		require.NoError(w, wait(ctx, 20*time.Millisecond), "%s to %s: %s", m.Kind, m.To, why)
	}
	err := w.process.Wait()
	require.ErrorContains(w, err, "signal: killed")
}

// walked is what there is to see of decisions.
type walked struct {
	epoch, homes, group int64 // queues at the target, and those of the group that are read there
	authority           string
}

func (s walked) of(kind string) side {
	switch {
	case kind == KindHome && s.homes > 0, kind == KindSide && s.group > 0, kind == KindAuthority && s.authority == "target":
		return target
	}
	return source
}

func (w *walk) state() walked {
	w.Helper()
	s, err := w.process.client.State(w.ctx)
	require.NoError(w, err)
	seen := walked{epoch: s.Epoch, homes: int64(s.Homes.Target), authority: s.Authority}
	for _, one := range s.Groups {
		if one.Target > 0 {
			require.Zero(w, one.Source, "group %s is on one side", one.Group)
		}
		seen.group += int64(one.Target)
	}
	return seen
}

func (w *walk) flows(rs *readers) {
	w.Helper()
	at, got := w.load.sent.Load(), rs.got.Load()
	w.eventually("clients go on", func() bool { return w.load.sent.Load() > at+200 && rs.got.Load() > got+200 })
}

// everyAttemptOnce reads the source's replica: each attempt to send a message is there once at most, what was acknowledged at least once, and the
// messages of a key in their order.
func (w *walk) everyAttemptOnce(topic string) {
	w.Helper()
	times, next := map[string]int{}, map[string]int{}
	w.eventually("the source holds everything", func() bool {
		times, next = map[string]int{}, map[string]int{}
		for _, body := range w.stored(w.source, topic) {
			times[body]++
			key, rest, _ := strings.Cut(body, " ")
			number, _, _ := strings.Cut(rest, " ")
			if n, _ := strconv.Atoi(number); n == next[key] {
				next[key]++
			} else if n > next[key] {
				w.Errorf("%s is stored before %d of that key", body, next[key])
				return true
			}
		}
		for key, acked := range w.load.acked {
			if next[key] < len(acked) {
				return false
			}
		}
		return true
	})
	for body, n := range times {
		assert.Equal(w, 1, n, body)
	}
}

// stored are the bodies of a topic's messages on a cluster, queue by queue.
func (r *rig) stored(c *rocketmq.Cluster, topic string) (bodies []string) {
	r.Helper()
	for _, b := range r.brokers(c) {
		ranges, err := c.Client().TopicStats(r.ctx, b.Addr, topic)
		require.NoError(r, err)
		for id, all := range ranges {
			for at := int64(0); at < all.Max; {
				got, err := c.Client().Pull(r.ctx, b.Addr, rocketmq.PullRequest{Group: r.names().Group + "-eyes", Topic: topic, Queue: id, Offset: at, Max: 32})
				require.NoError(r, err)
				require.Greater(r, got.Next, at, "queue %d on %s: %v", id, b.Name, got.Status)
				for _, m := range got.Messages {
					bodies = append(bodies, string(m.Body))
				}
				at = got.Next
			}
		}
	}
	return bodies
}
