package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/rocketmq-client-go/v2/admin"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/stretchr/testify/require"

	"rocketshift/demo/ledger"
	"rocketshift/demo/verdict"
	"rocketshift/internal/lab"
)

// bench is a source cluster, the program, and a folder of ledgers.
type bench struct {
	t       *testing.T
	program string
	cluster *lab.Cluster
	dir     string
}

func newBench(t *testing.T) *bench {
	root, err := lab.Root()
	require.NoError(t, err)
	files, err := lab.FindFiles(root)
	require.NoError(t, err)
	b := &bench{t: t, dir: "/tmp/demo/bench-" + t.Name() + time.Now().Format("150405")}
	os.MkdirAll(b.dir, 0o755)
	b.program = filepath.Join(b.dir, "app")
	out, err := exec.Command("go", "build", "-o", b.program, ".").CombinedOutput()
	require.NoError(t, err, "build: %s", out)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b.cluster, err = lab.Start(ctx, files, filepath.Join(b.dir, "source"), lab.ClusterSpec{Version: "4.9.7", Brokers: 2})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.cluster.Kill()) })
	return b
}

// topic creates or changes a topic of 4 queues on each broker.
func (b *bench) topic(name string, perm int) {
	a, err := admin.NewAdmin(admin.WithResolver(primitive.NewPassthroughResolver(b.cluster.NameServers)))
	require.NoError(b.t, err)
	defer a.Close()
	for _, broker := range b.cluster.Brokers {
		require.NoError(b.t, a.CreateTopic(context.Background(), admin.WithTopicCreate(name), admin.WithBrokerAddrCreate(broker.Addr),
			admin.WithReadQueueNums(4), admin.WithWriteQueueNums(4), admin.WithPerm(perm)))
	}
}

func (b *bench) ledger(name string) string { return filepath.Join(b.dir, name) }

// app is one running process.
type app struct {
	t   *testing.T
	cmd *exec.Cmd
}

func (b *bench) start(command, ledger string, args ...string) *app {
	args = append([]string{command, "-name-servers", strings.Join(b.cluster.NameServers, ","), "-ledger", b.ledger(ledger)}, args...)
	a := &app{t: b.t, cmd: exec.Command(b.program, args...)}
	log, err := os.OpenFile(b.ledger(ledger+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	require.NoError(b.t, err)
	defer log.Close()
	a.cmd.Stderr = log
	out, err := a.cmd.StdoutPipe()
	require.NoError(b.t, err)
	require.NoError(b.t, a.cmd.Start())
	b.t.Cleanup(func() { _ = a.cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.True(b.t, err == nil && strings.HasPrefix(line, "ready"), "%s did not get ready: %q %v", ledger, line, err)
	go io.Copy(io.Discard, out)
	return a
}

// stop ends the application as a release pipeline does.
func (a *app) stop() {
	require.NoError(a.t, a.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(a.t, a.cmd.Wait(), "%s", a.cmd.Args)
}

// await waits for a condition on the ledgers.
func (b *bench) await(what string, within time.Duration, done func() bool) {
	b.t.Helper()
	require.Eventually(b.t, done, within, 50*time.Millisecond, "waited %s for %s", within, what)
}

func (b *bench) acked(producer string) (n int) {
	records, err := ledger.ReadSent(b.ledger(producer))
	require.NoError(b.t, err)
	for _, r := range ledger.Settled(records) {
		if r.Outcome == ledger.Ack {
			n++
		}
	}
	return n
}

func (b *bench) received(group string) []ledger.Received {
	records, err := ledger.ReadReceived(b.ledger(group))
	require.NoError(b.t, err)
	return records
}

// judge computes the verdict of one producer and some groups on topic orders.
func (b *bench) judge(producer string, groups ...verdict.Group) verdict.Verdict {
	sent, err := ledger.ReadSent(b.ledger(producer))
	require.NoError(b.t, err)
	for i := range groups {
		groups[i].Topics, groups[i].Ordered = []string{"orders"}, []string{"orders"}
		groups[i].Received = b.received(groups[i].Name)
	}
	v, detail, err := verdict.Judge(verdict.Input{Sent: map[string][]ledger.Sent{producer: sent}, Groups: groups})
	require.NoError(b.t, err)
	b.t.Logf("%+v %+v", v, detail)
	return v
}

func TestRestartsOfApplicationsLoseRepeatAndReorderNothing(t *testing.T) {
	b := newBench(t)
	b.topic("orders", 6)
	produce := func() *app {
		return b.start("produce", "orders-1", "-topic", "orders", "-producer", "orders-1", "-rate", "200", "-ordered", "-queues", "8", "-history", "3000")
	}
	orderly := func() *app {
		return b.start("consume", "fulfilment", "-group", "fulfilment", "-topics", "orders", "-orderly")
	}
	concurrent := func() *app {
		return b.start("consume", "billing", "-group", "billing", "-topics", "orders", "-work", "3ms")
	}
	p, o, c := produce(), orderly(), concurrent()
	for round := range 20 {
		o.stop()
		c.stop()
		had := len(b.received("fulfilment"))
		c, o = concurrent(), orderly()
		if round%2 == 0 {
			p.stop()
			p = produce()
		}
		b.await("deliveries after a restart", 30*time.Second, func() bool { return len(b.received("fulfilment")) > had+200 })
	}
	p.stop()
	sent := b.acked("orders-1")
	for _, group := range []string{"fulfilment", "billing"} {
		b.await("group "+group+" to receive everything", 30*time.Second, func() bool { return len(b.received(group)) >= sent })
	}
	o.stop()
	c.stop()
	v := b.judge("orders-1", verdict.Group{Name: "fulfilment", Orderly: true}, verdict.Group{Name: "billing"})
	require.True(t, v.Clean(), "%+v", v)
	require.Greater(t, v.Messages, int64(3000))
}

func TestAProducerGoesOnSoonAfterItsTopicOpens(t *testing.T) {
	b := newBench(t)
	b.topic("orders", 4)
	p := b.start("produce", "orders-1", "-topic", "orders", "-producer", "orders-1", "-rate", "100", "-ordered", "-queues", "8")
	b.await("a refused send in the ledger", 10*time.Second, func() bool {
		records, err := ledger.ReadSent(b.ledger("orders-1"))
		return err == nil && len(records) == 1
	})
	b.topic("orders", 6)
	b.await("sends after the topic opened", 3*time.Second, func() bool { return b.acked("orders-1") > 10 })
	b.topic("orders", 4)
	before := b.acked("orders-1")
	b.topic("orders", 6)
	b.await("sends after the topic was closed and opened", 3*time.Second, func() bool { return b.acked("orders-1") > before+10 })
	p.stop()
	c := b.start("consume", "fulfilment", "-group", "fulfilment", "-topics", "orders", "-orderly")
	b.await("everything received", 30*time.Second, func() bool { return len(b.received("fulfilment")) >= b.acked("orders-1") })
	c.stop()
	v := b.judge("orders-1", verdict.Group{Name: "fulfilment", Orderly: true})
	require.True(t, v.Clean(), "%+v", v)
}
