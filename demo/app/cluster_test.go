package main

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/rocketmq-client-go/v2/admin"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/rlog"
	"github.com/stretchr/testify/require"

	"rocketshift/demo/ledger"
	"rocketshift/demo/verdict"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// fixture is a cluster, the program, and a folder of ledgers.
type fixture struct {
	t       *testing.T
	program string
	cluster *lab.Cluster
	dir     string
	topic   string
}

// newFixture uses the cluster that this binary's tests share, so topic and groups are named after
// the test.
func newFixture(t *testing.T, version, topic string) *fixture {
	b := &fixture{t: t, dir: t.TempDir(), cluster: labtest.Cluster(t, version), topic: topic}
	b.program = filepath.Join(b.dir, "app")
	out, err := exec.Command("go", "build", "-o", b.program, ".").CombinedOutput()
	require.NoError(t, err, "build: %s", out)
	return b
}

// setTopic creates or changes the topic: 8 queues in all.
func (b *fixture) setTopic(perm int) {
	rlog.SetLogLevel("fatal") // what fails is in its error
	a, err := admin.NewAdmin(admin.WithResolver(primitive.NewPassthroughResolver(b.cluster.NameServers)))
	require.NoError(b.t, err)
	defer a.Close()
	each := 8 / len(b.cluster.Brokers)
	for _, broker := range b.cluster.Brokers {
		require.NoError(
			b.t,
			a.CreateTopic(context.Background(), admin.WithTopicCreate(b.topic), admin.WithBrokerAddrCreate(broker.Addr),
				admin.WithReadQueueNums(each), admin.WithWriteQueueNums(each), admin.WithPerm(perm)),
		)
	}
}

func (b *fixture) ledger(name string) string { return filepath.Join(b.dir, name) }

// app is one running process.
type app struct {
	t   *testing.T
	cmd *exec.Cmd
}

func (b *fixture) start(command, ledger string, args ...string) *app {
	args = append(
		[]string{command, "-name-servers", strings.Join(b.cluster.NameServers, ","), "-ledger", b.ledger(ledger)},
		args...)
	a := &app{t: b.t, cmd: exec.Command(b.program, args...)}
	a.cmd.Stderr = labtest.Output(b.t, ledger)
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

// lockPatience bounds waits for deliveries. A queue whose lock an orderly member left behind is
// read by nobody until the broker takes the lock back, a minute later.
const lockPatience = 4 * time.Minute

// await waits for a condition on the ledgers.
func (b *fixture) await(what string, done func() bool) {
	b.t.Helper()
	require.Eventually(b.t, done, lockPatience, 50*time.Millisecond, what)
}

func (b *fixture) acked(producer string) (n int) {
	records, err := ledger.ReadSent(b.ledger(producer))
	require.NoError(b.t, err)
	for _, r := range ledger.Settled(records) {
		if r.Outcome == ledger.Ack {
			n++
		}
	}
	return n
}

func (b *fixture) received(group string) []ledger.Received {
	records, err := ledger.ReadReceived(b.ledger(group))
	require.NoError(b.t, err)
	return records
}

// requireNoHarm computes the verdict of one producer and some groups on the topic. A message that
// one run read twice from one place is its client's doing.
func (b *fixture) requireNoHarm(producer string, groups ...verdict.Group) verdict.Verdict {
	b.t.Helper()
	sent, err := ledger.ReadSent(b.ledger(producer))
	require.NoError(b.t, err)
	for i := range groups {
		groups[i].Topics, groups[i].Ordered = []string{b.topic}, []string{b.topic}
		groups[i].Received = b.received(groups[i].Name)
	}
	v, detail, err := verdict.Judge(verdict.Input{Sent: map[string][]ledger.Sent{producer: sent}, Groups: groups})
	require.NoError(b.t, err)
	reread := int64(len(detail.Reread))
	require.Equal(b.t, [3]int64{}, [3]int64{v.Lost, v.Duplicated - reread, v.OutOfOrder},
		"lost, duplicated without the %d that clients read twice by themselves, out of order; examples %v",
		reread, detail.Examples)
	return v
}

// producer and member start the usual applications of the bench.
func (b *fixture) producer(args ...string) *app {
	return b.start(
		"produce",
		"p-1",
		append([]string{"-topic", b.topic, "-producer", "p-1", "-ordered", "-queues", "8"}, args...)...)
}

func (b *fixture) member(group string, args ...string) *app {
	return b.start("consume", group, append([]string{"-group", b.topic + "-" + group, "-topics", b.topic}, args...)...)
}

// awaitAll waits until groups received as many messages as were acknowledged.
func (b *fixture) awaitAll(groups ...string) {
	b.t.Helper()
	sent := b.acked("p-1")
	for _, g := range groups {
		b.await("group "+g+" to receive everything", func() bool {
			got := map[string]bool{}
			for _, r := range b.received(g) {
				got[r.ID] = true
			}
			return len(got) >= sent
		})
	}
}

func TestLiveAProducerGoesOnAfterItsTopicOpens(t *testing.T) {
	b := newFixture(t, "4.9.7", "app-opening")
	b.setTopic(4)
	p := b.producer("-rate", "100")
	b.await("a first send that is refused", func() bool {
		records, err := ledger.ReadSent(b.ledger("p-1"))
		return err == nil && len(records) == 1
	})
	b.setTopic(6)
	b.await("sends after the topic opened", func() bool { return b.acked("p-1") > 10 })
	b.setTopic(4)
	before := b.acked("p-1")
	b.setTopic(6)
	b.await("sends after the topic was closed and opened", func() bool { return b.acked("p-1") > before+10 })
	p.stop()
	c := b.member("orderly", "-orderly")
	b.awaitAll("orderly")
	c.stop()
	b.requireNoHarm("p-1", verdict.Group{Name: "orderly", Orderly: true})
}
