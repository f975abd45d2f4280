package replicator

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"rocketshift/internal/rocketmq"
)

// soakKills is the environment variable that says how often the copier is killed, at other points each time: make soak sets it.
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

// load writes to both sides of all lanes until it is stopped, and returns how many messages each queue got.
type trickle struct {
	*live
	stop    chan struct{}
	writing sync.WaitGroup
	mu      sync.Mutex
	written map[string]int
}

func (l *live) trickle() *trickle {
	w := &trickle{live: l, stop: make(chan struct{}), written: map[string]int{}}
	for _, lane := range l.lanes {
		for side, at := range map[string]struct {
			cluster *rocketmq.Cluster
			queue   Queue
		}{"s": {l.source, lane.Source}, "t": {l.target, lane.Target}} {
			w.writing.Go(func() { w.write(at.cluster, at.queue, fmt.Sprintf("%s-%d", side, lane.Index)) })
		}
	}
	return w
}

func (w *trickle) write(cluster *rocketmq.Cluster, q Queue, name string) {
	const each = 5
	pace := time.NewTicker(25 * time.Millisecond)
	defer pace.Stop()
	for n := 0; ; n += each {
		select {
		case <-w.stop:
			return
		case <-pace.C:
		}
		var messages []rocketmq.BatchMessage
		for i := range each {
			messages = append(messages, rocketmq.BatchMessage{Body: fmt.Appendf(nil, "%s-%07d", name, n+i)})
		}
		w.batch(cluster, q, time.Now().UnixMilli(), messages...)
		w.mu.Lock()
		w.written[name] = n + each
		w.mu.Unlock()
	}
}

func (w *trickle) end() {
	close(w.stop)
	w.writing.Wait()
}

// copyAndKill runs a copier of its own, and kills it after that time, wherever it is.
func (l *live) copyAndKill(after time.Duration) {
	l.Helper()
	j, err := json.Marshal(job{l.source.NameServers(), l.target.NameServers(), l.topic, l.group, true})
	if err != nil {
		l.Fatal(err)
	}
	process := exec.CommandContext(l.ctx, os.Args[0], "-test.run", "^TestCopierProcess$")
	process.Env = append(os.Environ(), copierJob+"="+string(j))
	if err := process.Start(); err != nil {
		l.Fatal(err)
	}
	time.Sleep(after) // not a wait: the point in its work where it is killed
	_ = process.Process.Kill()
	_ = process.Wait()
}

func TestLiveCopiersKilledAtRandomPointsUnderLoadLoseAndRepeatNothing(t *testing.T) {
	n, seed := kills(t)
	t.Logf("%d kills, seed %d", n, seed)
	random := rand.New(rand.NewPCG(seed, 0))
	l := newLive(t, "killed-at-random", 2)
	l.fill(10)
	both := func(r *Replicator) { r.options.BothWays = true }
	first := l.start("killed", l.lanes, both) // the reverse lanes have their places from here on
	l.untilCopied(first)
	first.stop()
	load := l.trickle()
	for range n {
		l.copyAndKill(time.Duration(50+random.IntN(350)) * time.Millisecond)
	}
	load.end()
	held := l.onTarget()
	last := l.start("killed", l.lanes, func(r *Replicator) {
		both(r)
		r.timing.homeRest, r.timing.look = time.Second, 100*time.Millisecond
	})
	l.until("both sides hold everything", last, func(Progress) bool {
		for _, lane := range l.lanes {
			want := int64(10 + load.written[fmt.Sprintf("s-%d", lane.Index)] + load.written[fmt.Sprintf("t-%d", lane.Index)])
			source, errSource := l.source.Client().MaxOffset(l.ctx, l.broker(l.source, lane.Source.Broker), l.topic, lane.Source.ID)
			target, errTarget := l.target.Client().MaxOffset(l.ctx, l.broker(l.target, lane.Target.Broker), l.topic, lane.Target.ID)
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
	if held < int64(40+n) {
		t.Fatalf("killed copiers left %d messages on the target: they did next to nothing", held)
	}
	for _, lane := range l.lanes {
		source, target := l.bodies(l.source, lane.Source), l.bodies(l.target, lane.Target)
		for _, side := range []byte("st") {
			onSource, onTarget := only(side, source), only(side, target)
			want := load.written[fmt.Sprintf("%c-%d", side, lane.Index)]
			if !slices.Equal(onSource, onTarget) || !slices.IsSorted(onSource) || len(slices.Compact(slices.Clone(onSource))) != want || len(onSource) != want {
				t.Errorf("%s: messages of %c: %d on the source, %d on the target, wanted the same %d in their order on both",
					lane, side, len(onSource), len(onTarget), want)
			}
		}
	}
}
