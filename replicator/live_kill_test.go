package replicator

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// copierJob is the environment variable that makes the test binary a copier to be killed.
const copierJob = "ROCKETSHIFT_TEST_COPIER"

type job struct {
	Source, Target []string
	Topic, Group   string
	BothWays       bool
	Each           int // batches that it copies of each queue at most, where that is bounded
}

// TestCopierProcess is no test: it copies until it is killed.
func TestCopierProcess(t *testing.T) {
	var j job
	if err := json.Unmarshal([]byte(os.Getenv(copierJob)), &j); err != nil {
		t.Skip("runs as a process of its own, for the tests that kill it")
	}
	client := rocketmq.NewClient(rocketmq.Options{})
	source, target := rocketmq.NewCluster(client, j.Source), rocketmq.NewCluster(client, j.Target)
	lanes, err := replica.LanesOf(context.Background(), source, target, j.Topic)
	for begin := time.Now(); err != nil && time.Since(begin) < liveUntil; lanes, err = replica.LanesOf(context.Background(), source, target, j.Topic) {
		fmt.Println("lanes of topic", j.Topic, "aren't known yet:",
			err) // as brokers say when others make topics at the same moment
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		t.Fatalf("lanes of topic %s: %v", j.Topic, err)
	}
	// Small batches, so that it is mostly killed with one on its way.
	r := NewReplicator(source, target, Options{
		Names:         replica.Names{Group: j.Group, Source: "Source", Target: "Target"},
		Holder:        "killed",
		BatchMessages: 5,
		BothWays:      j.BothWays,
	})
	if j.Each > 0 {
		r.target = newStuck(r.target, j.Each)
	}
	if j.BothWays { // it is killed so soon that it would do little else than wait
		r.timing.settle = 30 * time.Millisecond
	}
	r.timing.report = 5 * time.Millisecond
	tell := sync.OnceFunc(func() { fmt.Println(hasCopied) })
	err = r.Run(context.Background(), lanes, func(p lane.Progress) {
		if p.Copied > 0 || p.Back != nil && p.Back.Copied > 0 {
			tell()
		}
	})
	if err != nil {
		t.Fatalf("run: %v", err)
	}
}

// hasCopied is what the copier process prints with its first copies.
const hasCopied = "it has copied something"

// copiedUntilKilled runs a copier in a process of its own, until it has copied that many messages
// and a moment more. However late it is killed, it doesn't copy more than 500 further ones.
func (l *live) copiedUntilKilled(more int64, moment time.Duration) {
	l.Helper()
	j, err := json.Marshal(
		job{l.source.NameServers(), l.target.NameServers(), l.topic, l.group, false, int(more+500) / len(l.lanes)},
	)
	if err != nil {
		l.Fatal(err)
	}
	process := exec.CommandContext(l.ctx, os.Args[0], "-test.run", "^TestCopierProcess$")
	process.Env = append(os.Environ(), copierJob+"="+string(j))
	said := labtest.Output(l.T, "copier")
	process.Stdout, process.Stderr = said, said
	before := l.onTarget()
	if err := process.Start(); err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { _ = process.Process.Kill() }) // also if the test fails in between
	l.waitFor(fmt.Sprintf("the copier has copied %d messages", more),
		func() bool { return l.onTarget() >= before+more },
		func() any { return fmt.Sprintf("%d messages on the target, before %d", l.onTarget(), before) })
	time.Sleep(moment) // not a wait: the point in its work where it is killed
	if err := process.Process.Kill(); err != nil {
		l.Fatal(err)
	}
	_ = process.Wait()
	l.settled()
}

// settled waits until the target has taken up what the killed copier had on its way, and shows it:
// it answers requests of one kind in the order in which it received them, and shows messages in the
// order in which it stored them.
func (l *live) settled() {
	l.Helper()
	target := replica.NewBrokers("target", l.target)
	for _, lane := range l.lanes {
		if err := target.PassSends(l.ctx, lane.Target.Broker, l.group); err != nil {
			l.Fatal(err)
		}
	}
	last := &live{T: l.T, ctx: l.ctx, target: l.target, topic: l.topic + "-last"}
	last.make(l.target, 1)
	for _, of := range l.lanes {
		last.batch(l.target, lane.Queue{Broker: of.Target.Broker}, 1, rocketmq.BatchMessage{Body: []byte("last")})
	}
}

// onTarget counts the messages on the target's queues.
func (l *live) onTarget() (sum int64) {
	l.Helper()
	for _, lane := range l.lanes {
		n, err := l.target.Client().MaxOffset(l.ctx, l.broker(l.target, lane.Target.Broker), l.topic, lane.Target.ID)
		if err != nil {
			l.Fatal(err)
		}
		sum += n
	}
	return sum
}

func TestLiveKilledCopiersNeitherRepeatNorLose(t *testing.T) {
	l := newLive(t, "killed-copier", 2)
	l.fill(2000)
	random := rand.New(rand.NewPCG(3, 1))
	for range 4 {
		l.copiedUntilKilled(200+random.Int64N(800), time.Duration(random.IntN(20_000))*time.Microsecond)
	}
	held := l.onTarget()
	if held >= 8000 {
		t.Fatalf("the killed ones copied all %d messages: none was killed in the middle", held)
	}
	last := l.start("killed", l.lanes, nil) // the activity gives it their name, as their process is gone
	l.untilCopied(last)
	if p := last.stop(); p.Copied+held != 8000 {
		t.Errorf("it copied %d messages, wanted the remaining %d", p.Copied, 8000-held)
	}
	l.wantClean(8000)
}

func TestLongKilledSourceBrokerForgetsNothingThatMatters(t *testing.T) {
	t.Parallel()
	source := labtest.OwnCluster(t, lab.ClusterSpec{Name: "Fragile", Version: "4.9.7", Brokers: 1})
	l := newLiveBetween(t, source, labtest.Cluster(t, "5.3.3"), "killed-source", 2)
	l.fill(300)
	c := l.start("one", l.lanes, nil)
	l.untilCopied(c)
	broker := source.Brokers[0].Name
	if err := source.KillBroker(broker); err != nil { // within 5 s of the commits: they aren't on its disk
		t.Fatal(err)
	}
	l.until("the lanes say that they wait for the dead source", c,
		func(p lane.Progress) bool { return strings.Contains(p.Waiting, "source broker "+broker) })
	if err := source.StartBroker(l.ctx, broker); err != nil {
		t.Fatal(err)
	}
	l.untilCopied(c) // nothing new: what was committed must be committed once more
	l.fill(50)
	l.untilCopied(c)
	if last := c.stop(); last.Copied != 700 || len(last.Faults) > 0 {
		t.Fatalf("progress %+v, wanted 700 copied", last)
	}
	l.wantClean(700)
}
