package gateway

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/lab/javaclient"
)

// comers are two groups whose second members come and go at the same moments: one group is moved meanwhile, the other one never.
type comers struct {
	*rig
	topic, mode   string
	moved, still  *readers
	second, other *javaclient.Client
}

func (r *rig) newComers(topic, mode string) *comers {
	c := &comers{rig: r, topic: topic, mode: mode}
	for _, one := range []struct {
		name string
		of   **readers
	}{{"moved", &c.moved}, {"still", &c.still}} {
		*one.of = r.newReaders(r.group(topic+"-"+mode+"-"+one.name), 1)
	}
	return c
}

func (c *comers) member(of *readers, instance string) *javaclient.Client {
	return of.javaJoin(javaclient.Consumer{Version: "4.9.7", Topic: c.topic, Mode: c.mode, Instance: of.group + instance})
}

// join starts the second members.
func (c *comers) join() {
	var both sync.WaitGroup
	both.Go(func() { c.second = c.member(c.moved, "-1") })
	both.Go(func() { c.other = c.member(c.still, "-1") })
	both.Wait()
}

// end ends the second members.
func (c *comers) end(how func(*javaclient.Client)) {
	var both sync.WaitGroup
	both.Go(func() { how(c.second) })
	both.Go(func() { how(c.other) })
	both.Wait()
}

// untilBusy waits until both members of both groups get messages.
func (c *comers) untilBusy() {
	c.Helper()
	for _, rs := range []*readers{c.moved, c.still} {
		before := rs.counts()
		c.eventually("both members of "+rs.group+" get messages", func() bool {
			now := rs.counts()
			return now[rs.group+"-0"] > before[rs.group+"-0"] && now[rs.group+"-1"] > before[rs.group+"-1"]
		})
	}
}

// judge compares both groups: at most so many more may be repeated where the group is moved.
func (c *comers) judge(l *load, more int) {
	c.Helper()
	c.moved.untilRead(l)
	c.still.untilRead(l)
	v, control := c.moved.judge(l), c.still.judge(l)
	c.Logf("%s: %+v, control %+v of %d", c.mode, v, control, l.sent.Load())
	if c.mode == javaclient.Orderly {
		assert.Zero(c, v.outOfOrder, c.mode)
	}
	assert.LessOrEqual(c, v.duplicated, control.duplicated+more, c.mode)
}

// Members join, leave and are killed in the middle of moves; messages are in work for five seconds across them; a broadcasting member is away.
// Nothing is lost, order holds, and no more is repeated than in groups that aren't moved.
func TestLiveMembersComeGoAndDieInTheMiddleOfMoves(t *testing.T) {
	r := newRig(t, "members")
	topic, slow := r.topic("members", 2), r.topic("members-slow", 2)
	all := []*comers{r.newComers(topic, javaclient.Concurrent), r.newComers(topic, javaclient.Orderly)}
	slowly := map[string]*readers{}
	for _, mode := range []string{javaclient.Concurrent, javaclient.Orderly} {
		slowly[mode] = r.newReaders(r.group(slow+"-"+mode), 1)
	}
	broadcast, aside := r.newReaders(r.group("members-broadcast"), 1), r.newReaders(r.group("members-broadcast-still"), 1)
	groups := []string{broadcast.group}
	r.replicate()
	r.open()
	homes := map[*readers]string{broadcast: t.TempDir(), aside: t.TempDir()}
	listen := func() (both []*javaclient.Client) {
		for _, of := range []*readers{broadcast, aside} {
			both = append(both, of.javaJoin(javaclient.Consumer{Version: "4.9.7", Topic: topic, Mode: javaclient.Broadcast, Instance: of.group + "-0", Home: homes[of]}))
		}
		return both
	}
	listeners := listen()
	var reading []*readers
	for _, c := range all {
		c.member(c.moved, "-0")
		c.member(c.still, "-0")
		groups, reading = append(groups, c.moved.group), append(reading, c.moved, c.still)
	}
	inWork := func(mode string) *javaclient.Client {
		return slowly[mode].javaJoin(javaclient.Consumer{Version: "4.9.7", Topic: slow, Mode: mode, Instance: slow + "-" + mode})
	}
	working := map[string]*javaclient.Client{}
	for mode, rs := range slowly {
		working[mode] = inWork(mode)
		groups = append(groups, rs.group)
	}
	r.warmUp(topic, append(reading, broadcast, aside)...)
	r.warmUp(slow, slowly[javaclient.Concurrent], slowly[javaclient.Orderly])
	long, quick := r.produce(slow, "slow", 2, 5*time.Second), r.produce(slow, "quick", 8, 100*time.Millisecond)
	goesOn := func() { // most keys have no slow message in their queues
		t.Helper()
		before := [2]int64{slowly[javaclient.Concurrent].got.Load(), slowly[javaclient.Orderly].got.Load()}
		r.eventually("other messages go on beside slow ones", func() bool {
			return slowly[javaclient.Concurrent].got.Load() > before[0]+50 && slowly[javaclient.Orderly].got.Load() > before[1]+50
		})
	}
	away := func(to string, meanwhile func(*comers)) {
		t.Helper()
		for _, one := range listeners {
			one.Stop(t)
		}
		var at sync.WaitGroup
		for _, c := range all {
			at.Go(func() { meanwhile(c) })
		}
		r.move(Move{Kind: KindSide, To: to, Groups: groups})
		r.move(Move{Kind: KindHome, To: to, Topics: []string{topic, slow}})
		at.Wait()
		listeners = listen()
		goesOn()
	}
	const pause = 50 * time.Millisecond
	const threads = 20 // of a stock consumer: it notes its positions, and what they have in work is finished behind that
	for round, end := range []func(*javaclient.Client){func(c *javaclient.Client) { c.Stop(t) }, (*javaclient.Client).Kill} {
		load := r.produce(topic, []string{"leave", "kill"}[round], 8, pause)
		away("target", (*comers).join)
		for _, c := range all {
			c.untilBusy()
		}
		away("source", func(c *comers) { c.end(end) })
		load.end()
		assert.Empty(t, load.errors)
		for _, c := range all {
			more := moreRepeats
			if round > 0 { // what a killed member hasn't committed is up to five seconds of its half of the load, in either group
				more = int(5 * time.Second / pause * 8 / 2)
			}
			c.judge(load, more)
		}
		broadcast.untilRead(load)
		aside.untilRead(load)
		v, control := broadcast.judge(load), aside.judge(load)
		t.Logf("broadcasting: %+v, control %+v", v, control)
		assert.LessOrEqual(t, v.duplicated, control.duplicated+2*threads, "a broadcasting member that was away goes on where it was")
	}
	long.end()
	quick.end()
	for mode, rs := range slowly {
		rs.untilRead(long)
		rs.untilRead(quick)
		working[mode].Stop(t)
		inWork(mode)
		again := r.produce(slow, "again"+mode, 4, 20*time.Millisecond)
		r.eventually("the member reads again", func() bool { return again.sent.Load() > 100 })
		again.end()
		rs.untilRead(again)
		for _, l := range []*load{long, quick, again} {
			v := rs.judge(l)
			if mode == javaclient.Concurrent {
				v.outOfOrder = 0
			}
			assert.Equal(t, verdict{}, v, "%s, positions of what was in work hold on both sides", mode)
		}
	}
	t.Logf("%d slow messages, %d others", long.sent.Load(), quick.sent.Load())
}
