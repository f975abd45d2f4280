package gateway

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab/javaclient"
)

// crew is a group, or a producer, whose instances are restarted one after the other.
type crew struct {
	*readers        // nil for producers
	start           func(at *rig, instance string) (stop func())
	instances       []string
	stops           map[string]func()
	longestTakeOver time.Duration
}

// roll starts each instance anew with another view, the next one when all work again.
func (c *crew) roll(at *rig) {
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
func (c *crew) untilBusy(at *rig) {
	begin, before := time.Now(), c.counts()
	at.eventually("all started members of "+c.group+" get messages", func() bool {
		now := c.counts()
		for name := range c.stops {
			if now[name] == before[name] {
				return false
			}
		}
		return true
	})
	c.longestTakeOver = max(c.longestTakeOver, time.Since(begin))
}

// fleet are the same applications twice: one crosses over, the other one is restarted as often with one view.
type fleet struct {
	groups    map[string]*crew
	producers []*crew
	mu        sync.Mutex
	loads     []*load
}

// newFleet describes a topic's applications, with producers of these kinds.
func (r *rig) newFleet(topic string, producers ...string) *fleet {
	f := &fleet{groups: map[string]*crew{}}
	for kind, start := range map[string]func(*readers, *rig, string) func(){
		"java-concurrent": javaMember(topic, javaclient.Concurrent),
		"java-orderly":    javaMember(topic, javaclient.Orderly),
		"go-concurrent":   goMember(topic, false),
		"go-orderly":      goMember(topic, true),
	} {
		rs := r.newReaders(r.group(topic+"-"+kind), 2)
		c := &crew{readers: rs, instances: []string{rs.group + "-0", rs.group + "-1"}, stops: map[string]func(){}}
		if kind == "go-orderly" { // a queue that one member of this client gives up stays locked for a minute, with any view
			c.instances = c.instances[:1]
		}
		c.start = func(at *rig, name string) func() { return start(rs, at, name) }
		f.groups[kind] = c
	}
	for _, kind := range producers {
		generation := 0
		f.producers = append(f.producers, &crew{instances: []string{kind}, stops: map[string]func(){}, start: func(at *rig, _ string) func() {
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
		}})
	}
	return f
}

func javaMember(topic, mode string) func(*readers, *rig, string) func() {
	return func(rs *readers, at *rig, name string) func() {
		c := rs.javaJoin(javaclient.Consumer{Version: "4.9.7", NameServer: at.entrance, Topic: topic, Mode: mode, Instance: name, Work: 2 * time.Millisecond})
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

// judge ends the producers, and tells for each group what became of all messages.
func (f *fleet) judge() map[string]verdict {
	for _, l := range f.loads {
		l.end()
	}
	verdicts := map[string]verdict{}
	for kind, c := range f.groups {
		sum := verdict{}
		for _, l := range f.loads {
			c.untilRead(l)
			v := c.readers.judge(l)
			sum = verdict{sum.lost + v.lost, sum.duplicated + v.duplicated, sum.outOfOrder + v.outOfOrder}
		}
		if strings.HasSuffix(kind, "concurrent") {
			sum.outOfOrder = 0 // nobody promises it
		}
		verdicts[kind] = sum
	}
	return verdicts
}

// Applications cross over from the source to the gateway, and from there to the target, an instance at a time: all members have work in each mixed
// view, nothing is lost, order holds, and no more is repeated than by the same restarts with one view.
func TestLiveApplicationsCrossOverOneInstanceAtATime(t *testing.T) {
	r := newRig(t, "cross")
	topic, control := r.topic("cross", 2), "cross-control"
	for _, b := range r.brokers(r.source) {
		r.make(r.source, b, control, 2)
	}
	crossing, same := r.newFleet(topic, "java", "go"), r.newFleet(control, "go", "go-too-")
	hash, late := r.group("cross-hash"), r.group("cross-late")
	r.replicate()
	g := r.open()
	g.passers.life = time.Second // producers have just crossed over
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

	lateReaders := r.newReaders(late, 1)
	read := func(at *rig) {
		t.Helper()
		before := lateReaders.got.Load()
		c := lateReaders.javaJoin(javaclient.Consumer{Version: "4.9.7", NameServer: at.entrance, Topic: topic, Mode: javaclient.Concurrent, Instance: "cross-late"})
		r.eventually("the late group has read nearly all", func() bool { // a member that ends reads what it holds, and has committed before
			return lateReaders.got.Load() > before+200 && !slices.ContainsFunc(crossing.loads, func(l *load) bool { return lateReaders.judge(l).lost > moreRepeats/4 })
		})
		before = lateReaders.got.Load()
		r.eventually("the late group reads what comes", func() bool { return lateReaders.got.Load() > before+80 }) // while it catches up, a stock member commits far behind
		c.Stop(lateReaders)
	}
	read(behind)
	read(onSource) // what it commits now doesn't come by the gateway

	both("behind the gateway", behind)
	assert.Empty(t, wrong(g), "members on both ways share queues")
	groups := []string{hash, late}
	for _, c := range crossing.groups {
		groups = append(groups, c.group)
	}
	hashed := r.newReaders(hash, 1)
	hashed.javaJoin(javaclient.Consumer{Version: "4.9.7", Topic: topic, Mode: javaclient.Concurrent, Instance: "cross-hash-0", Strategy: "AllocateMessageQueueConsistentHash"})
	r.eventually("the member that allocates by hash reads", func() bool { return hashed.got.Load() > 100 })
	toTarget := Move{Kind: KindAuthority, To: "target", ID: "early"}
	_, err := g.Move(r.ctx, toTarget)
	require.ErrorContains(t, err, "nothing is on the target")
	r.move(Move{Kind: KindSide, To: "target", Groups: groups})
	read(behind)
	toTarget.ID = "sides"
	_, err = g.Move(r.ctx, toTarget)
	require.ErrorContains(t, err, "has its home on the source")
	r.eventually("nobody writes past the gateway any more", func() bool {
		g.lookForPassers(r.ctx)
		return !strings.Contains(fmt.Sprint(g.State().Bypass), "{"+topic+" ")
	})
	r.move(Move{Kind: KindHome, To: "target", Topics: []string{topic}})
	toTarget.ID = "hash"
	_, err = g.Move(r.ctx, toTarget)
	require.ErrorContains(t, err, "cross-hash-0 allocates queues by AllocateMessageQueueConsistentHash")
	toTarget.Accept = []string{hash}
	r.move(toTarget)

	hashed.javaJoin(javaclient.Consumer{Version: "4.9.7", NameServer: onTarget.entrance, Topic: topic, Mode: javaclient.Concurrent, Instance: "cross-hash-1", Strategy: "AllocateMessageQueueConsistentHash"})
	both("on the target", onTarget)
	r.eventually("the gateway says that a group's members share queues wrongly", func() bool { return strings.Contains(wrong(g), hash) })
	t.Logf("seen: %s", wrong(g))
	_, err = g.Move(r.ctx, Move{Kind: KindAuthority, To: "source", ID: "back"})
	require.ErrorContains(t, err, "past the gateway")

	got, control0 := crossing.judge(), same.judge()
	for kind, v := range got {
		t.Logf("%s: %+v, control %+v; longest until all members worked %s, control %s", kind, v, control0[kind], crossing.groups[kind].longestTakeOver, same.groups[kind].longestTakeOver)
		assert.Zero(t, v.lost+v.outOfOrder, kind)
		assert.LessOrEqual(t, v.duplicated, control0[kind].duplicated+moreRepeats, kind)
	}
	for _, l := range crossing.loads {
		assert.Empty(t, l.errors)
		lateReaders.wants = func(int) bool { return false }
		assert.LessOrEqual(t, lateReaders.judge(l).duplicated, moreRepeats, "what was read past the gateway isn't read again")
	}
	for _, c := range crossing.groups {
		assert.NotContains(t, wrong(g), c.group, "members on both ways share queues")
	}
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
