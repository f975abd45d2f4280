package main

import (
	"context"
	"os"
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
	"rocketshift/internal/lab/labtest"
)

func TestMain(m *testing.M) { labtest.MainWithProxies(m) }

// produced makes a topic on a 5.x cluster and has a 4.x application write to it. It returns the
// proxy and the number of messages.
func produced(t *testing.T, topic string) (endpoint string, messages int) {
	t.Helper()
	c := labtest.Cluster(t, "5.3.3")
	rlog.SetLogLevel("fatal") // what fails is in its error
	a, err := admin.NewAdmin(admin.WithResolver(primitive.NewPassthroughResolver(c.NameServers)))
	require.NoError(t, err)
	defer a.Close()
	require.NoError(
		t,
		a.CreateTopic(context.Background(), admin.WithTopicCreate(topic), admin.WithBrokerAddrCreate(c.Brokers[0].Addr),
			admin.WithReadQueueNums(8), admin.WithWriteQueueNums(8), admin.WithPerm(6)),
	)
	dir := t.TempDir()
	program, file := filepath.Join(dir, "app"), filepath.Join(dir, "ledger")
	out, err := exec.Command("go", "build", "-o", program, "../app").CombinedOutput()
	require.NoError(t, err, "build: %s", out)
	app := exec.Command(program, "produce", "-name-servers", strings.Join(c.NameServers, ","), "-topic", topic,
		"-producer", "p", "-history", "1000", "-ledger", file)
	app.Stdout, app.Stderr = labtest.Output(t, "application"), labtest.Output(t, "application's log")
	require.NoError(t, app.Start())
	t.Cleanup(func() { _ = app.Process.Kill() })
	settled := func() []ledger.Sent {
		records, err := ledger.ReadSent(file)
		require.NoError(t, err)
		return ledger.Settled(records)
	}
	require.Eventually(t, func() bool { return len(settled()) > 1000 }, 3*time.Minute, 50*time.Millisecond,
		"a history of 1000 messages")
	require.NoError(t, app.Process.Signal(syscall.SIGTERM))
	require.NoError(t, app.Wait())
	return c.ProxyGRPC, len(settled())
}

func TestLiveReadsThroughTheProxyWhatA4xApplicationWrote(t *testing.T) {
	t.Setenv("rocketmq.client.logRoot", t.TempDir())
	const fixedLog = "/tmp/rocketmq-logger.log" // the client's default for its log of calls
	t.Cleanup(func() {                          // others may write it
		open, err := filepath.Glob("/proc/self/fd/*")
		require.NoError(t, err)
		for _, fd := range open {
			to, _ := os.Readlink(fd)
			require.NotEqual(t, fixedLog, to, "it is written")
		}
	})
	endpoint, messages := produced(t, "app5-proof")
	n, err := read(t.Context(), options{
		endpoint: endpoint,
		group:    "app5-proof",
		topic:    "app5-proof",
		expect:   messages,
		within:   5 * time.Minute,
	})
	require.NoError(t, err)
	require.Equal(t, messages, n)

	n, err = read(t.Context(),
		options{endpoint: endpoint, group: "app5-proof", topic: "app5-proof", expect: 1, within: 8 * time.Second})
	require.ErrorContains(t, err, "read 0 of 1 messages", "the group has read everything")
	require.Zero(t, n)
}
