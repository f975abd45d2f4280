package gateway

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/wire"
)

// What one client does without end ends with its connection, and never costs more than it may.

func TestAConnectionThatAsksWithoutListeningIsClosed(t *testing.T) {
	b := newStandIn(t, func(int) bool { return false })
	g := before(t, b)
	s, client := g.connect(t)
	up, err := s.upstream(s.port.dest)
	require.NoError(t, err)
	for range mostOpen {
		s.enter(call{code: codeRunningInfo, up: up})
	}
	s.mu.Lock()
	assert.False(t, s.closed)
	s.mu.Unlock()
	s.enter(call{code: codeRunningInfo, up: up})
	_, err = client.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

func TestAHeartbeatThatIsTooLongIsRefusedAndNotKept(t *testing.T) {
	g := before(t, newStandIn(t, func(int) bool { return true }))
	s, client := g.connect(t)
	answers := wire.NewReader(client)
	body := fmt.Sprintf(`{"clientID":"a","consumerDataSet":[{"groupName":"%s"}]}`, strings.Repeat("g", mostBeat))
	go func() { _, _ = client.Write(wire.AppendRequest(nil, codeHeartbeat, 1, 0, nil, []byte(body))) }()
	var f wire.Frame
	require.NoError(t, answers.Next(&f))
	assert.Equal(t, systemError, f.Code)
	assert.Contains(t, string(f.Remark), "at most 4194304")
	s.mu.Lock()
	defer s.mu.Unlock()
	assert.Empty(t, s.beat)
}

func TestAConnectionSpeaksForTheClientThatItLastNamed(t *testing.T) {
	b := newStandIn(t, func(int) bool { return true })
	b.answer(codeHeartbeat, wire.Reply{})
	g := before(t, b)
	g.targets.Store(&[]string{"broker-x"})
	g.brokers[target].Store(&map[string][]string{"broker-x": {b.Addr().String()}})
	_, client := g.connect(t)
	go func() { _, _ = io.Copy(io.Discard, client) }()
	for i := range int32(3) {
		_, err := client.Write(wire.AppendRequest(nil, codeHeartbeat, i, 0, nil, fmt.Appendf(nil, `{"clientID":"client-%d"}`, i)))
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			g.mirrors.mu.Lock()
			defer g.mirrors.mu.Unlock()
			_, there := g.mirrors.claims[claim{beat{client: fmt.Sprintf("client-%d", i)}.identity(), "broker-x"}]
			return there && len(g.mirrors.claims) == 1
		}, patience, time.Millisecond)
	}
}

// Long bodies are read one after the other, and hold up no short one: else a few clients take all processors.
func TestLongBodiesAreReadOneAfterTheOther(t *testing.T) {
	var r bodyReader
	long, short := make([]byte, longBody+1), make([]byte, longBody)
	begun, ends, read := make(chan struct{}), make(chan struct{}), make(chan string, 3)
	go r.read(long, func() {
		close(begun)
		<-ends
	})
	<-begun
	go r.read(long, func() { read <- "long" })
	r.read(short, func() { read <- "short" })
	require.Equal(t, "short", <-read)
	require.False(t, r.one.TryLock())
	require.Empty(t, read)
	close(ends)
	require.Equal(t, "long", <-read)
}

// Long bodies leave most of the time to others, also when one comes after the other; short ones
// wait for nothing.
func TestLongBodiesLeaveTimeToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r bodyReader
		begun := time.Now()
		for range 3 {
			r.read(make([]byte, longBody+1), func() { time.Sleep(100 * time.Millisecond) })
			r.read(make([]byte, longBody), func() {})
		}
		require.Equal(t, (2*shareForBodies+1)*100*time.Millisecond, time.Since(begun))
		time.Sleep(time.Hour)
		again := time.Now()
		r.read(make([]byte, longBody+1), func() {})
		require.Zero(t, time.Since(again))
	})
}
