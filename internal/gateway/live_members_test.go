package gateway

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/lab/javaclient"
	"rocketshift/internal/lab/labtest"
)

// comers are two groups whose second members come and go at the same moments: one group is moved
// meanwhile, the other one never.
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
		*one.of = r.newReaders(r.group(mode+"-"+one.name), 1)
	}
	return c
}

func (c *comers) member(of *readers, instance string) *javaclient.Client {
	return of.javaJoin(
		javaclient.Consumer{Version: "4.9.7", Topic: c.topic, Mode: c.mode, Instance: of.group + instance},
	)
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
		c.await("both members of "+rs.group+" get messages", func() (idle string) {
			now := rs.counts()
			for _, name := range []string{rs.group + "-0", rs.group + "-1"} {
				if now[name] == before[name] {
					idle += name + " "
				}
			}
			return idle
		})
	}
}

// judge compares both groups. A member gets again what it had last itself when a queue comes back
// to it before another member has read anything of it: what its threads had in work. A move must
// not add to that. When queues change hands, at most so many more may be repeated where the group
// is moved.
func (c *comers) judge(l *load, more int) {
	c.Helper()
	c.moved.untilRead(l)
	c.still.untilRead(l)
	v, control := c.moved.judge(l), c.still.judge(l)
	c.Logf("%s: %+v, control %+v of %d", c.mode, v, control, l.sent.Load())
	if c.mode == javaclient.Orderly {
		assert.Zero(c, v.outOfOrder, c.mode)
	}
	assert.LessOrEqual(c, v.within(), control.within()+threads, c.mode)
	assert.LessOrEqual(c, v.handedOver, control.handedOver+more, c.mode)
}

// Members join, leave and are killed in the middle of moves; messages are in work for five seconds
// across them; a broadcasting member is away. Nothing is lost, order holds, and no more is repeated
// than in groups that aren't moved.
func TestLongMembersComeGoAndDieInTheMiddleOfMoves(t *testing.T) {
	r := newRig(t, "members")
	topic, slow := r.topic("quick", 2), r.topic("slow", 2)
	all := []*comers{r.newComers(topic, javaclient.Concurrent), r.newComers(topic, javaclient.Orderly)}
	slowly := map[string]*readers{}
	for _, mode := range []string{javaclient.Concurrent, javaclient.Orderly} {
		slowly[mode] = r.newReaders(r.group("slow-"+mode), 1)
	}
	broadcast, aside := r.newReaders(r.group("broadcast"), 1), r.newReaders(r.group("broadcast-still"), 1)
	groups := []string{broadcast.group}
	r.replicate()
	r.open()
	homes := map[*readers]string{broadcast: t.TempDir(), aside: t.TempDir()}
	listen := func() (both []*javaclient.Client) {
		for _, of := range []*readers{broadcast, aside} {
			both = append(
				both,
				of.javaJoin(
					javaclient.Consumer{
						Version:  "4.9.7",
						Topic:    topic,
						Mode:     javaclient.Broadcast,
						Instance: of.group + "-0",
						Home:     homes[of],
					},
				),
			)
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
		return slowly[mode].javaJoin(
			javaclient.Consumer{Version: "4.9.7", Topic: slow, Mode: mode, Instance: slow + "-" + mode},
		)
	}
	working := map[string]*javaclient.Client{}
	for mode, rs := range slowly {
		working[mode] = inWork(mode)
		groups = append(groups, rs.group)
	}
	r.warmUp(topic, append(reading, broadcast, aside)...)
	r.warmUp(slow, slowly[javaclient.Concurrent], slowly[javaclient.Orderly])
	r.control()
	long, quick := r.produce(slow, "slow", 2, 5*time.Second), r.produce(slow, "quick", 8, 100*time.Millisecond)
	goesOn := func() { // most keys have no slow message in their queues
		t.Helper()
		r.untilMore(50, slowly[javaclient.Concurrent], slowly[javaclient.Orderly])
	}
	away := func(load *load, to string, meanwhile func(*comers)) {
		t.Helper()
		load.rest(func() { // so that what they have in work when they note their positions is little, on any machine
			broadcast.untilRead(load)
			aside.untilRead(load)
			for _, one := range listeners {
				one.Stop(t)
			}
		})
		var at sync.WaitGroup
		for _, c := range all {
			at.Go(func() { meanwhile(c) })
		}
		r.move(control.Move{Kind: control.KindSide, To: to, Groups: groups})
		r.move(control.Move{Kind: control.KindHome, To: to, Topics: []string{topic, slow}})
		at.Wait()
		listeners = listen()
		goesOn()
	}
	const pause = 50 * time.Millisecond
	ways := []string{"kill", "leave"} // the second one in make test-loops alone
	for _, way := range ways[:labtest.Rounds(2, 1)] {
		end := (*javaclient.Client).Kill
		if way == "leave" {
			end = func(c *javaclient.Client) { c.Stop(t) }
		}
		load := r.produce(topic, way, 8, pause)
		away(load, "target", (*comers).join)
		for _, c := range all {
			c.untilBusy()
		}
		away(load, "source", func(c *comers) { c.end(end) })
		load.end()
		for _, c := range all {
			// Queues change hands as a member comes and as it goes. Who gives one up commits, and
			// who gets it asks for that: what is repeated was read in between, on a busy machine in
			// a second at most each time. Of a member that was killed it is what it read since its
			// last commit.
			second := int(time.Second / pause * 8 / 2) // a member has half of the load
			more := 2 * second
			if way == "kill" {
				more = second + int(commitsEvery/time.Second)*second
			}
			c.judge(load, more)
		}
		broadcast.untilRead(load)
		aside.untilRead(load)
		r.sentWell(aside, load)
		v, control := broadcast.judge(load), aside.judge(load)
		t.Logf("broadcasting: %+v, control %+v", v, control)
		assert.LessOrEqual(t, v.duplicated, control.duplicated+2*threads,
			"a broadcasting member that was away twice goes on where it was")
	}
	long.end()
	quick.end()
	for mode, rs := range slowly {
		rs.untilRead(long)
		rs.untilRead(quick)
		working[mode].Stop(t)
		inWork(mode)
		again := r.produce(slow, "again"+mode, 4, 20*time.Millisecond)
		r.untilMore(100, again)
		again.end()
		rs.untilRead(again)
		for _, l := range []*load{long, quick, again} {
			v := rs.judge(l)
			if mode == javaclient.Concurrent {
				v.outOfOrder = 0
			}
			// What its threads had in work when the member ended, the next one gets again.
			assert.LessOrEqual(t, v.handedOver, threads, "%s, positions of what was in work hold on both sides", mode)
			v.duplicated, v.handedOver = v.within(), 0
			assert.Equal(t, verdict{}, v, mode)
		}
	}
	t.Logf("%d slow messages, %d others", long.sent.Load(), quick.sent.Load())
}
