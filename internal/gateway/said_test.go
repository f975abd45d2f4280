package gateway

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// logLines is a log that is read while it is written.
type logLines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logLines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func logTo(l *logLines) *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *logLines) with(says string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), says)
}

// A server that is away is said once, and not for each request or heartbeat that it doesn't get.
func TestWhatIsAwayIsSaidOnceAndNotForEachRequest(t *testing.T) {
	b := newStandIn(t, func(int) bool { return true })
	b.answer(remoting.CodeHeartbeat, wire.Reply{})
	g := before(t, b)
	var log logLines
	g.logsTo(logTo(&log))
	g.sides.Targets.Store(&[]string{"broker-t", "broker-u"})
	g.sides.Brokers[routing.Target].Store(
		&map[string][]string{"broker-t": {"127.0.0.1:1"}, "broker-u": {"127.0.0.1:1"}},
	)
	q := g.table.Topics.Get([]byte("orders")).All()[0]
	guarded := &guarded{gateway: g}
	guarded.queue(routing.Target)
	require.Equal(t, routing.Target, q.At())
	_, client := g.connect(t)
	in := wire.NewReader(client)
	var f wire.Frame
	for i := range int32(100) {
		_, err := client.Write(sendFrame(i, 10))
		require.NoError(t, err)
		require.NoError(t, in.Next(&f))
		require.Equal(t, remoting.ServiceNotAvailable, f.Code)
	}
	assert.Equal(t, 1, log.with("a server can't be reached"))

	go func() { _, _ = io.Copy(io.Discard, client) }()
	for i := range int32(20) {
		_, err := client.Write(
			wire.AppendRequest(nil, remoting.CodeHeartbeat, 100+i, 0, nil,
				fmt.Appendf(nil, `{"clientID":"client-%d"}`, i)),
		)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return log.with("heartbeats don't reach a broker") == 2 }, patience,
		time.Millisecond, "one of each broker")
	require.Eventually(t, func() bool {
		s := g.clients.registry.all()[0]
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.client == "client-19" && !s.mirrored.busy
	}, patience, time.Millisecond)
	assert.Equal(t, 2, log.with("heartbeats don't reach a broker"))
}

func TestWhatLooksFindIsSaidRarely(t *testing.T) {
	var log logLines
	pair, _ := idlePair(t)
	pair[0].logsTo(logTo(&log))
	pair[0].config.Name = "a"
	m := *pair[0].sides.Migration.Load()
	m.Others = []control.Peer{{Name: "gone", Control: "127.0.0.1:1"}}
	pair[0].sides.Migration.Store(&m)
	for range 10 {
		pair[0].sync(t.Context())
	}
	assert.Equal(t, 1, log.with("another gateway doesn't say how it stands"))
}
