package gateway

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/lab/javaclient"
)

// deployment is a group, or a producer, whose instances are restarted one after the other.
type deployment struct {
	*readers        // nil for producers
	start           func(at *rig, instance string) (stop func())
	instances       []string
	stops           map[string]func()
	longestTakeOver time.Duration
}

// roll starts each instance anew with another view, the next one when all work again.
func (c *deployment) roll(at *rig) {
	for _, name := range c.instances {
		if stop := c.stops[name]; stop != nil {
			stop()
		}
		c.stops[name] = c.start(at, name)
		if c.readers != nil {
			c.untilBusy(at)
		}
	}
}

// untilBusy waits until every started instance gets messages.
func (c *deployment) untilBusy(at *rig) {
	begin, before := time.Now(), c.counts()
	at.await("all started members of "+c.group+" get messages", func() (idle string) {
		now := c.counts()
		for name := range c.stops {
			if now[name] == before[name] {
				idle += name + " "
			}
		}
		return idle
	})
	c.longestTakeOver = max(c.longestTakeOver, time.Since(begin))
}

// fleet are the same applications twice: one crosses over, the other one is restarted as often with
// one view.
type fleet struct {
	groups    map[string]*deployment
	producers []*deployment
	mu        sync.Mutex
	loads     []*load
}

// newFleet describes a topic's applications, with producers of these kinds.
func (r *rig) newFleet(topic, of string, producers ...string) *fleet {
	f := &fleet{groups: map[string]*deployment{}}
	for kind, start := range map[string]func(*readers, *rig, string) func(){
		"java-concurrent": javaMember(topic, javaclient.Concurrent),
		"java-orderly":    javaMember(topic, javaclient.Orderly),
		"go-concurrent":   goMember(topic, false),
		"go-orderly":      goMember(topic, true),
	} {
		rs := r.newReaders(r.group(of+"-"+kind), 2)
		c := &deployment{readers: rs, instances: []string{rs.group + "-0", rs.group + "-1"}, stops: map[string]func(){}}
		// a queue that one member of this client gives up stays locked for a minute, with any view
		if kind == "go-orderly" {
			c.instances = c.instances[:1]
		}
		c.start = func(at *rig, name string) func() { return start(rs, at, name) }
		f.groups[kind] = c
	}
	for _, kind := range producers {
		generation := 0
		f.producers = append(
			f.producers,
			&deployment{instances: []string{kind}, stops: map[string]func(){}, start: func(at *rig, _ string) func() {
				generation++
				var l *load
				if prefix := fmt.Sprint(kind, generation, "x"); strings.HasPrefix(kind, "java") {
					l = at.javaProduceAs(topic, "4.9.7", javaclient.Ordered, prefix, 4, 100*time.Millisecond)
				} else {
					l = at.produce(topic, prefix, 4, 100*time.Millisecond)
				}
				f.mu.Lock()
				f.loads = append(f.loads, l)
				f.mu.Unlock()
				return l.end
			}},
		)
	}
	return f
}

func javaMember(topic, mode string) func(*readers, *rig, string) func() {
	return func(rs *readers, at *rig, name string) func() {
		c := rs.javaJoin(
			javaclient.Consumer{
				Version:    "4.9.7",
				NameServer: at.entrance,
				Topic:      topic,
				Mode:       mode,
				Instance:   name,
				Work:       2 * time.Millisecond,
			},
		)
		return func() { c.Stop(rs) }
	}
}

func goMember(topic string, orderly bool) func(*readers, *rig, string) func() {
	return func(rs *readers, at *rig, name string) func() {
		c := rs.joinAt(at.entrance, topic, name, orderly)
		return func() { _ = c.Shutdown() }
	}
}

// roll restarts all instances of all applications, those of each one after the other.
func (f *fleet) roll(at *rig) {
	at.Helper()
	var all sync.WaitGroup
	for _, c := range f.producers {
		c.roll(at)
	}
	for _, c := range f.groups {
		all.Go(func() { c.roll(at) })
	}
	all.Wait()
}

// moreRepeats is what a stock member may repeat of one load when it gets a queue, beyond what a
// control does. Who gave the queue up has committed what it has done, but for what was in work; and
// on a busy machine the next one may read before the broker has that: a second of 40 messages of
// the load.
const moreRepeats = 40

const (
	handOvers = 4 * 2 * 2 // rolls, instances, loads at a time: how often members get others' queues
	lateAgain = 2         // times that the late group's member is started again
)

// judge ends the producers, and tells for each group what became of all messages.
func (f *fleet) judge(topic string) map[string]verdict {
	var all []disorder
	for _, l := range f.loads {
		l.end()
	}
	verdicts := map[string]verdict{}
	for kind, c := range f.groups {
		sum := verdict{}
		for _, l := range f.loads {
			c.untilRead(l)
			sum = sum.plus(c.readers.judge(l))
			if strings.HasSuffix(kind, "orderly") {
				all = append(all, c.readers.disorders(l)...)
			}
		}
		if strings.HasSuffix(kind, "concurrent") {
			sum.outOfOrder = 0 // nobody promises it
		}
		verdicts[kind] = sum
	}
	f.loads[0].tellDisorders(topic, all)
	return verdicts
}

// Applications cross over from the source to the gateway, and from there to the target, an instance
// at a time: all members have work in each mixed view, nothing is lost, order holds, and no more is
// repeated than by the same restarts with one view.
func TestLongApplicationsCrossOverOneInstanceAtATime(t *testing.T) {
	r := newRig(t, "cross")
	topic, controls := r.topic("crossing", 2), r.nameOf("same")
	for _, b := range r.brokers(r.source) {
		r.make(r.source, b, controls, 2)
	}
	crossing, same := r.newFleet(topic, "crossing", "java", "go"), r.newFleet(controls, "same", "go", "go-too-")
	hash, late := r.group("hash"), r.group("late")
	r.replicate()
	g := r.open()
	g.checks.Bypassing.Life = time.Second // producers have just crossed over
	onSource, behind, onTarget := r.at(r.source.NameServers()[0]), r, r.at(r.target.NameServers()[0])
	both := func(step string, at *rig) {
		t.Helper()
		begin := time.Now()
		var all sync.WaitGroup
		all.Go(func() { same.roll(onSource) })
		crossing.roll(at)
		all.Wait()
		t.Logf("%s: %s", step, time.Since(begin))
	}
	both("on the source", onSource)
	r.control()

	lateReaders := r.newReaders(late, 1)
	read := func(at *rig) {
		t.Helper()
		before := lateReaders.count.Load()
		c := lateReaders.javaJoin(
			javaclient.Consumer{
				Version:    "4.9.7",
				NameServer: at.entrance,
				Topic:      topic,
				Mode:       javaclient.Concurrent,
				Instance:   "cross-late",
			},
		)
		r.await(
			"the late group has read nearly all",
			func() (missing string) { // a member that ends reads what it holds, and has committed before
				if more := lateReaders.count.Load() - before; more <= 200 {
					missing = fmt.Sprintf("%d of 200 more; ", more)
				}
				for _, l := range crossing.loads {
					if lost := lateReaders.judge(l).lost; lost > moreRepeats/4 {
						missing += fmt.Sprintf("%d of %s; ", lost, l.name)
					}
				}
				return missing
			},
		)
		r.untilMore(80, lateReaders) // while it catches up, a stock member commits far behind
		c.Stop(lateReaders)
	}
	read(behind)
	read(onSource) // what it commits now doesn't come by the gateway

	both("behind the gateway", behind)
	r.await("members on both ways share queues",
		func() string { return wrong(g) }) // old members may be slow to hand theirs over
	groups := []string{hash, late}
	for _, c := range crossing.groups {
		groups = append(groups, c.group)
	}
	hashed := r.newReaders(hash, 1)
	hashed.javaJoin(
		javaclient.Consumer{
			Version:  "4.9.7",
			Topic:    topic,
			Mode:     javaclient.Concurrent,
			Instance: "cross-hash-0",
			Strategy: "AllocateMessageQueueConsistentHash",
		},
	)
	r.untilMore(100, hashed)
	toTarget := control.Move{Kind: control.KindAuthority, To: "target", ID: "early"}
	_, err := g.Move(r.ctx, toTarget)
	require.ErrorContains(t, err, "nothing is on the target")
	r.move(control.Move{Kind: control.KindSide, To: "target", Groups: groups})
	read(behind)
	toTarget.ID = "sides"
	_, err = g.Move(r.ctx, toTarget)
	require.ErrorContains(t, err, "has its home on the source")
	r.eventually("nobody writes past the gateway any more", func() bool {
		g.checks.LookForBypassing(r.ctx)
		return !strings.Contains(fmt.Sprint(g.State().Bypass), "{"+topic+" ")
	})
	r.move(control.Move{Kind: control.KindHome, To: "target", Topics: []string{topic}})
	r.await("the authority stays with a member that allocates by hash", func() string {
		toTarget.ID = fmt.Sprint("hash-", moveNumber.Add(1))
		was, err := g.Move(r.ctx, toTarget)
		switch {
		case was.Done: // a member that doesn't answer for five seconds, on a busy machine, is none that says how it allocates
			r.move(control.Move{Kind: control.KindAuthority, To: "source"})
			return "the member says nothing"
		case err == nil:
			return was.Reason
		}
		require.ErrorContains(t, err, "cross-hash-0 allocates queues by AllocateMessageQueueConsistentHash")
		return ""
	})
	toTarget.Accept = []string{hash}
	r.move(toTarget)

	hashed.javaJoin(
		javaclient.Consumer{
			Version:    "4.9.7",
			NameServer: onTarget.entrance,
			Topic:      topic,
			Mode:       javaclient.Concurrent,
			Instance:   "cross-hash-1",
			Strategy:   "AllocateMessageQueueConsistentHash",
		},
	)
	both("on the target", onTarget)
	r.eventually("the gateway says that a group's members share queues wrongly",
		func() bool { return strings.Contains(wrong(g), hash) })
	t.Logf("seen: %s", wrong(g))
	_, err = g.Move(r.ctx, control.Move{Kind: control.KindAuthority, To: "source", ID: "back"})
	require.ErrorContains(t, err, "past the gateway")

	got, control0 := crossing.judge(topic), same.judge(controls)
	for kind, v := range got {
		t.Logf("%s: %+v, control %+v; longest until all members worked %s, control %s", kind, v, control0[kind],
			crossing.groups[kind].longestTakeOver, same.groups[kind].longestTakeOver)
		assert.Zero(t, v.lost+v.outOfOrder, kind)
		assert.LessOrEqual(t, v.within(), control0[kind].within()+threads,
			"%s: what a member had got last itself, as in a move", kind)
		assert.LessOrEqual(t, v.handedOver, control0[kind].handedOver+handOvers*moreRepeats, kind)
	}
	r.sentWell(crossing.groups["go-orderly"].readers, crossing.loads...)
	for _, l := range crossing.loads {
		lateReaders.wants = func(int) bool { return false }
		assert.LessOrEqual(t, lateReaders.judge(l).duplicated, lateAgain*moreRepeats,
			"what was read past the gateway isn't read again")
	}
	r.await("members on both ways share queues, but the group that allocates by hash", func() (not string) {
		for _, c := range crossing.groups {
			if all := wrong(g); strings.Contains(all, c.group) {
				not = all
			}
		}
		return not
	})
}

// wrong are the groups whose members share queues wrongly.
func wrong(g *Gateway) (all string) {
	for _, m := range g.State().Mixed {
		if len(m.Contested)+len(m.Unread) > 0 {
			all += fmt.Sprintf("%+v ", m)
		}
	}
	return all
}
