package gateway

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// A gateway is killed in every phase of every kind of move, in both directions, under load. What it
// is after a restart is the old state or the new one as a whole; whoever asks for the same move
// again gets it done once; nothing is lost, and no attempt to send a message is stored twice.
func TestLongAGatewayKilledInAnyPhaseOfAMoveIsWhereItWasOrWhereItWent(t *testing.T) {
	t.Parallel()
	r := newRig(t, "phases")
	r.breaks = breaksGateways
	orders, billing := r.topic("orders", 2), r.group("billing")
	r.replicate()
	w := &walk{rig: r, phase: filepath.Join(t.TempDir(), "phase")}
	w.start()
	ordered := r.consume(billing, orders, 1, true)
	r.warmUp(orders, ordered)
	w.load = r.produce(orders, "key", 8, 20*time.Millisecond)
	moves := []control.Move{
		{Kind: control.KindSide, Groups: []string{billing}},
		{Kind: control.KindHome, Topics: []string{orders}},
		{Kind: control.KindAuthority},
	}
	for _, m := range moves[:labtest.Rounds(3, 2)] {
		if m.Kind == control.KindAuthority { // which moves when something is on the target only
			w.moves(control.Move{Kind: control.KindSide, Groups: []string{billing}, To: routing.Target.String()})
			w.moves(control.Move{Kind: control.KindHome, Topics: []string{orders}, To: routing.Target.String()})
		}
		for range labtest.Rounds(2, 1) {
			w.there(m, store.PhasePrepared, store.PhaseProved, store.PhaseReady, store.PhaseWritten,
				store.PhaseReplaced)
		}
		for range labtest.Rounds(2, 1) {
			w.there(m, store.PhaseCommitted)
		}
	}
	r.untilMore(200, w.load, ordered)
	w.load.end()
	ordered.untilRead(w.load)
	v := ordered.judge(w.load)
	w.everyAttemptOnce(orders)
	r.sentWell(ordered, w.load)
	t.Logf("%d kills; %s; %d read again, as their position wasn't committed", w.kills, w.load, v.duplicated)
	assert.Zero(t, v.lost)
}

// walk is a gateway that is killed on and on.
type walk struct {
	*rig
	process *gatewayProcess
	phase   string // the file that says in which one the gateway dies
	load    *load
	to      map[string]routing.Side // where the last move of a kind went
	kills   int
}

// there moves to the other side than last time, and kills the gateway in each of the phases, one
// life each.
func (w *walk) there(m control.Move, phases ...string) {
	w.Helper()
	if w.to == nil {
		w.to = map[string]routing.Side{}
	}
	to := w.to[m.Kind].Other()
	w.to[m.Kind] = to
	m.To, m.Budget = to.String(), control.Duration(2*time.Second)
	m.ID = fmt.Sprint(m.Kind, w.kills)
	before := w.state()
	for _, phase := range phases {
		what := fmt.Sprintf("%s to %s, killed when it was %s", m.Kind, m.To, phase)
		w.untilMore(20, w.load)
		w.untilItDies(m, phase)
		w.start()
		if phase != store.PhaseReplaced && phase != store.PhaseCommitted {
			require.Equal(w, before, w.state(), what)
			continue
		}
		after := w.state()
		require.Equal(w, before.epoch+1, after.epoch, what)
		require.Equal(w, to, after.of(m.Kind), what)
		was := untilAnswered(w.rig, what, func() (control.Moved, error) { return w.process.client.Move(w.ctx, m) })
		require.True(w, was.Done && was.Moved > 0 && was.Epoch == after.epoch, "%s: asked again: %+v", what, was)
		require.Equal(w, after, w.state(), what)
	}
}

// moves moves something with nobody killed.
func (w *walk) moves(m control.Move) {
	w.Helper()
	w.await(m.Kind+" moves to the "+m.To, func() string {
		m.ID, m.Budget = fmt.Sprint(m.Kind, "-", moveNumber.Add(1)), control.Duration(2*time.Second)
		was, err := w.process.client.Move(w.ctx, m)
		if err == nil && was.Done {
			return ""
		}
		return fmt.Sprint(was.Reason, " ", err)
	})
}

// start begins the gateway's next life.
func (w *walk) start() {
	w.Helper()
	require.NoError(w, os.WriteFile(w.phase, nil, 0o600))
	w.process = w.spawn(diesIn + "=" + w.phase)
	w.process.use(w.rig)
}

// untilItDies asks for a move until the gateway dies in it.
func (w *walk) untilItDies(m control.Move, phase string) {
	w.Helper()
	w.kills++
	require.NoError(w, os.WriteFile(w.phase, []byte(phase), 0o600))
	w.process.diesInMove(w.rig,
		fmt.Sprintf("the gateway dies when a move of the %s to the %s is %s", m.Kind, m.To, phase),
		func() control.Move { return m })
}

// walked is what there is to see of decisions.
type walked struct {
	epoch, homes, group int64 // queues at the target, and those of the group that are read there
	authority           string
}

func (s walked) of(kind string) routing.Side {
	switch {
	case kind == control.KindHome && s.homes > 0,
		kind == control.KindSide && s.group > 0,
		kind == control.KindAuthority && s.authority == "target":
		return routing.Target
	}
	return routing.Source
}

func (w *walk) state() walked {
	w.Helper()
	s := w.process.state(w.rig)
	seen := walked{epoch: s.Epoch, homes: int64(s.Homes.Target), authority: s.Authority}
	for _, one := range s.Groups {
		if one.Target > 0 {
			require.Zero(w, one.Source, "group %s is on one side", one.Group)
		}
		seen.group += int64(one.Target)
	}
	return seen
}

// everyAttemptOnce reads the source's replica: each attempt to send a message is there once at
// most, what was acknowledged at least once, and the messages of a key in their order.
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
		messages := untilAnswered(r, "what is stored",
			func() ([]remoting.Message, error) { return r.messages(c, b, topic) })
		for _, m := range messages {
			bodies = append(bodies, string(m.Body))
		}
	}
	return bodies
}

// messages are a topic's on a broker, queue by queue.
func (r *rig) messages(c *rocketmq.Cluster, b rocketmq.Broker, topic string) (all []remoting.Message, err error) {
	ranges, err := c.Client().TopicStats(r.ctx, b.Addr, topic)
	if err != nil {
		return nil, err
	}
	for id, there := range ranges {
		for at := int64(0); at < there.Max; {
			got, err := c.Client().
				Pull(r.ctx, b.Addr, rocketmq.PullRequest{Group: r.names().Group + "-eyes", Topic: topic, Queue: id, Offset: at, Max: 32})
			if err != nil {
				return nil, err
			}
			if got.Next <= at {
				return nil, fmt.Errorf("queue %d on %s: no message at %d: %v", id, b.Name, at, got.Status)
			}
			all = append(all, got.Messages...)
			at = got.Next
		}
	}
	return all, nil
}
