package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
)

const (
	// asProgram makes this test binary the program, for tests that send it signals.
	asProgram = "ROCKETSHIFT_TEST_PROGRAM"
	// patience bounds what a test waits for: machines that run tests may be busy.
	patience = 3 * time.Minute
)

// program is the gateway as a process.
type program struct {
	*exec.Cmd
	names string // its name server
	logs  *logs
	ended chan error // how it ended
}

// logs keep what a program says.
type logs struct {
	io.Writer
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(b)
	return l.Writer.Write(b)
}

func (l *logs) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}

// starts starts the program with a folder, and waits until it serves.
func starts(t *testing.T, of *lab.Cluster, dir string) *program {
	t.Helper()
	p := &program{
		logs: &logs{Writer: labtest.Output(t, "gateway")}, ended: make(chan error, 1),
		Cmd: exec.Command(os.Args[0], "--name", "signalled", "--source", of.NameServers[0],
			"--advertise", "127.0.0.1", "--listen", "127.0.0.1", "--name-server-port", "0",
			"--state", dir, "--control", "127.0.0.1:0", "--metrics", "off",
			"--successor-wait", patience.String()),
	}
	p.Env = append(os.Environ(), asProgram+"=1", "ROCKETSHIFT_GATEWAY_TOKEN=a-token-of-the-tests")
	p.Stderr = p.logs
	p.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill() })
	var ready struct{ NameServer string }
	require.NoError(t, json.NewDecoder(out).Decode(&ready))
	p.names = ready.NameServer
	go func() { p.ended <- p.Wait() }()
	return p
}

// exchange is a producer that never sends anything again, and a member that reads it.
type exchange struct {
	*testing.T
	mu     sync.Mutex
	sent   int
	failed []string
	got    map[string]int
}

// exchanges starts stock clients with a name server.
func exchanges(t *testing.T, names, topic string) (e *exchange, end func()) {
	t.Helper()
	e = &exchange{T: t, got: map[string]int{}}
	p, err := stock.NewProducer(
		producer.WithNsResolver(primitive.NewPassthroughResolver([]string{names})),
		producer.WithGroupName("producers-"+topic), producer.WithInstanceName("p"+topic),
		producer.WithRetry(0))
	require.NoError(t, err)
	c, err := stock.NewPushConsumer(
		consumer.WithNsResolver(primitive.NewPassthroughResolver([]string{names})),
		consumer.WithGroupName("readers-"+topic), consumer.WithInstance("c"+topic),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset))
	require.NoError(t, err)
	require.NoError(t, c.Subscribe(topic, consumer.MessageSelector{}, e.takes))
	require.NoError(t, p.Start())
	require.NoError(t, c.Start())
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		e.sends(p, topic, stop)
	}()
	end = sync.OnceFunc(func() {
		close(stop)
		<-stopped
	})
	t.Cleanup(func() {
		end()
		_ = p.Shutdown()
		_ = c.Shutdown()
	})
	return e, end
}

// sendPause is between two sends: some hundred of them are a few seconds' traffic.
const sendPause = 10 * time.Millisecond

func (e *exchange) sends(p stock.Producer, topic string, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-time.After(sendPause):
		}
		_, err := p.SendSync(context.Background(), primitive.NewMessage(topic, fmt.Append(nil, n)))
		e.mu.Lock()
		if err == nil {
			e.sent++
		} else {
			e.failed = append(e.failed, fmt.Sprintf("%d: %v", n, err))
		}
		e.mu.Unlock()
	}
}

func (e *exchange) takes(
	_ context.Context, all ...*primitive.MessageExt,
) (consumer.ConsumeResult, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, one := range all {
		e.got[string(one.Body)]++
	}
	return consumer.ConsumeSuccess, nil
}

// untilRead waits until so many more were sent, and all of them are read.
func (e *exchange) untilRead(more int) {
	e.Helper()
	e.mu.Lock()
	want := e.sent + more
	e.mu.Unlock()
	require.Eventually(e, func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.sent >= want && len(e.got) >= want
	}, patience, sendPause, "%d sent and read", want)
}

// The program gets SIGTERM first, as when a supervisor restarts it, and another process of it
// begins a second or more later: until then the first one serves, and then the second. No client
// sees that.
func TestLiveANewProcessComesAfterTheSignalUnseen(t *testing.T) {
	source := labtest.Cluster(t, "4.9.7")
	topic := fmt.Sprintf("signalled-%d", time.Now().UnixNano())
	client := rocketmq.NewClient(rocketmq.Options{})
	t.Cleanup(client.Close)
	for _, b := range source.Brokers {
		require.NoError(t, client.CreateTopic(t.Context(), b.Addr, rocketmq.TopicConfig{
			Name: topic, ReadQueues: 2, WriteQueues: 2, Perm: rocketmq.PermRead | rocketmq.PermWrite,
		}))
	}
	require.Eventually(t, func() bool { // clients that don't find it look again after 30 s
		_, err := client.RouteOf(t.Context(), source.NameServers[0], topic)
		return err == nil
	}, patience, sendPause)
	dir := filepath.Join(t.TempDir(), "state")
	old := starts(t, source, dir)
	e, end := exchanges(t, old.names, topic)
	e.untilRead(100)

	signalled := time.Now()
	require.NoError(t, old.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool { return old.logs.has("it serves on for a while") },
		patience, sendPause)
	const between = time.Second
	for e.untilRead(50); time.Since(signalled) < between; e.untilRead(50) {
	}
	next := starts(t, source, dir)
	select {
	case how := <-old.ended:
		require.NoError(t, how)
	case <-time.After(patience):
		t.Fatal("the first process doesn't end")
	}
	assert.Equal(t, old.names, next.names)
	e.untilRead(200)
	end()

	e.mu.Lock()
	defer e.mu.Unlock()
	assert.Empty(t, e.failed, "sends that failed")
	again := 0
	for _, times := range e.got {
		again += times - 1
	}
	assert.Zero(t, again, "messages that were read again")
	t.Logf("%d messages sent and read in %s from the signal on", e.sent, time.Since(signalled))
}
