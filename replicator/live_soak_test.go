package replicator

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// soakKills is the environment variable that says how often the copier is killed, at other points
// each time: make soak sets it.
const soakKills = "ROCKETSHIFT_SOAK_KILLS"

// kills is how often, and the seed of the points.
func kills(t *testing.T) (n int, seed uint64) {
	text := os.Getenv(soakKills)
	if text == "" {
		return 50, 1
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q; want how often to kill", soakKills, text)
	}
	return n, uint64(time.Now().UnixNano())
}

// trickle writes to both sides of all lanes until it is stopped, and notes how many messages each
// queue got. It is never further ahead than its limit, so that a slow machine doesn't get more to
// copy than a fast one.
type trickle struct {
	*live
	stop    chan struct{}
	ended   sync.Once
	writing sync.WaitGroup
	mu      sync.Mutex
	written map[string]int
	limit   int
}

// perKill is how many messages each queue may get for each kill: for as long as a fast machine
// needs, all that the pace allows.
const perKill = 200

func (l *live) trickle() *trickle {
	w := &trickle{live: l, stop: make(chan struct{}), written: map[string]int{}}
	w.sides(func(name string, cluster *rocketmq.Cluster, q lane.Queue) {
		w.writing.Go(func() { w.run(cluster, q, name) })
	})
	l.Cleanup(w.end)
	return w
}

// sides calls do for all queues of both sides.
func (w *trickle) sides(do func(name string, cluster *rocketmq.Cluster, q lane.Queue)) {
	for _, lane := range w.lanes {
		do(fmt.Sprintf("s-%d", lane.Index), w.source, lane.Source)
		do(fmt.Sprintf("t-%d", lane.Index), w.target, lane.Target)
	}
}

// more lets as much more be written as belongs to a kill.
func (w *trickle) more() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limit += perKill
}

func (w *trickle) run(cluster *rocketmq.Cluster, q lane.Queue, name string) {
	pace := time.NewTicker(25 * time.Millisecond)
	defer pace.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-pace.C:
		}
		w.mu.Lock()
		enough := w.written[name] >= w.limit
		w.mu.Unlock()
		if !enough {
			w.some(cluster, q, name)
		}
	}
}

// some writes the next messages of a queue.
func (w *trickle) some(cluster *rocketmq.Cluster, q lane.Queue, name string) {
	const each = 5
	w.mu.Lock()
	n := w.written[name]
	w.mu.Unlock()
	var messages []rocketmq.BatchMessage
	for i := range each {
		messages = append(messages, rocketmq.BatchMessage{Body: fmt.Appendf(nil, "%s-%07d", name, n+i)})
	}
	w.store(cluster, q, time.Now().UnixMilli(), messages...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written[name] = n + each
}

func (w *trickle) end() {
	w.ended.Do(func() { close(w.stop) })
	w.writing.Wait()
}

// copyAndKill runs a copier of its own, and kills it after that time, wherever it is: counted from
// its start, or from its first copy.
func (l *live) copyAndKill(after time.Duration, working bool) {
	l.Helper()
	j, err := json.Marshal(job{l.source.NameServers(), l.target.NameServers(), l.topic, l.group, true, 0})
	if err != nil {
		l.Fatal(err)
	}
	process := exec.CommandContext(l.ctx, os.Args[0], "-test.run", "^TestCopierProcess$")
	process.Env = append(os.Environ(), copierJob+"="+string(j))
	out, err := process.StdoutPipe()
	if err != nil {
		l.Fatal(err)
	}
	if err := process.Start(); err != nil {
		l.Fatal(err)
	}
	defer func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	}()
	if working {
		var said []string
		over := time.AfterFunc(liveUntil, func() { _ = process.Process.Kill() })
		defer over.Stop()
		for lines := bufio.NewScanner(out); !slices.Contains(said, hasCopied); said = append(said, lines.Text()) {
			if !lines.Scan() {
				l.Fatalf("the copier ended, or copied nothing for %s; it said:\n%s", liveUntil,
					strings.Join(said, "\n"))
			}
		}
	}
	time.Sleep(after) // not a wait: the point in its work where it is killed
}

func TestLiveCopiersKilledAtRandomPointsUnderLoadLoseAndRepeatNothing(t *testing.T) {
	n, seed := kills(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%d kills, seed %d", n, seed)
		}
	})
	random := rand.New(rand.NewPCG(seed, 0))
	l := newLive(t, "killed-at-random", 2)
	l.fill(10)
	both := func(r *Replicator) { r.options.BothWays = true }
	first := l.start("killed", l.lanes, both) // the reverse lanes have their places from here on
	l.untilCopied(first)
	first.stop()
	load := l.trickle()
	for i := range n { // every second one surely works
		load.more()
		l.copyAndKill(time.Duration(random.IntN(400))*time.Millisecond, i%2 == 0)
	}
	load.end()
	load.sides(
		func(name string, cluster *rocketmq.Cluster, q lane.Queue) { load.some(cluster, q, name) },
	) // something is left for the last one
	last := l.start("killed", l.lanes, func(r *Replicator) {
		both(r)
		r.timing.homeRest, r.timing.look = time.Second, 100*time.Millisecond
	})
	l.until("both sides hold everything", last, func(lane.Progress) bool {
		for _, lane := range l.lanes {
			want := int64(
				10 + load.written[fmt.Sprintf("s-%d", lane.Index)] + load.written[fmt.Sprintf("t-%d", lane.Index)],
			)
			source, errSource := l.source.Client().
				MaxOffset(l.ctx, l.broker(l.source, lane.Source.Broker), l.topic, lane.Source.ID)
			target, errTarget := l.target.Client().
				MaxOffset(l.ctx, l.broker(l.target, lane.Target.Broker), l.topic, lane.Target.ID)
			if errSource != nil || errTarget != nil || source < want || target < want {
				return false
			}
		}
		return true
	})
	l.untilCopied(last)
	if p := last.stop(); p.Copied == 0 || len(p.Faults)+len(p.Back.Faults) > 0 {
		t.Fatalf("the last one: %+v, wanted some copies and no fault", p)
	}
	for _, lane := range l.lanes {
		source, target := l.bodies(l.source, lane.Source), l.bodies(l.target, lane.Target)
		for _, side := range []byte("st") {
			onSource, onTarget := only(side, source), only(side, target)
			want := load.written[fmt.Sprintf("%c-%d", side, lane.Index)]
			if !slices.Equal(onSource, onTarget) || !slices.IsSorted(onSource) ||
				len(slices.Compact(slices.Clone(onSource))) != want ||
				len(onSource) != want {
				t.Errorf(
					"%s: messages of %c: %d on the source, %d on the target, wanted the same %d in their order on both",
					lane, side, len(onSource), len(onTarget), want,
				)
			}
		}
	}
}
