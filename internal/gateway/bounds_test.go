package gateway

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// What one client does without end ends with its connection, and never costs more than it may.

func TestAConnectionThatAsksWithoutListeningIsClosed(t *testing.T) {
	b := newStandIn(t, func(int) bool { return false })
	g := before(t, b)
	s, client := g.connect(t)
	up, err := s.upstream(s.port.Dest)
	require.NoError(t, err)
	for range mostOpen {
		s.enter(call{code: remoting.CodeRunningInfo, up: up})
	}
	s.mu.Lock()
	assert.False(t, s.closed)
	s.mu.Unlock()
	s.enter(call{code: remoting.CodeRunningInfo, up: up})
	_, err = client.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

func TestAHeartbeatThatIsTooLongIsRefusedAndNotKept(t *testing.T) {
	g := before(t, newStandIn(t, func(int) bool { return true }))
	s, client := g.connect(t)
	answers := wire.NewReader(client)
	body := fmt.Sprintf(`{"clientID":"a","consumerDataSet":[{"groupName":"%s"}]}`, strings.Repeat("g", mostBeat))
	go func() { _, _ = client.Write(wire.AppendRequest(nil, remoting.CodeHeartbeat, 1, 0, nil, []byte(body))) }()
	var f wire.Frame
	require.NoError(t, answers.Next(&f))
	assert.Equal(t, remoting.SystemError, f.Code)
	assert.Contains(t, string(f.Remark), "at most 4194304")
	s.mu.Lock()
	defer s.mu.Unlock()
	assert.Empty(t, s.beat)
}

// Names without end would fill the state, logs and other gateways' memory.
func TestNamesThatNoClientHasAreRefused(t *testing.T) {
	g := newGuarded(t, appKeys)
	long := strings.Repeat("x", bodies.LongestName+1)
	for body, why := range map[string]string{
		`{"clientID":"` + long + `"}`: "client id of 513 bytes",
		`{"clientID":"a","producerDataSet":[{"groupName":"` + long[:bodies.LongestGroup+1] + `"}]}`: "more than 255 bytes",
		`{"clientID":"a","consumerDataSet":[{"groupName":"` + long[:bodies.LongestGroup+1] + `"}]}`: "more than 255 bytes",
	} {
		g.request(remoting.CodeHeartbeat, 0, stranger, nil, body)
		is, remark := g.answer()
		assert.Equal(t, remoting.SystemError, is)
		assert.Contains(t, remark, why)
		g.nothing(body)
	}
	g.request(remoting.CodeHeartbeat, 0, signing{long, "secret", ""}, nil, `{"clientID":"a"}`)
	is, remark := g.answer()
	assert.Equal(t, remoting.SystemError, is)
	assert.Contains(t, remark, "access key of 513 bytes")
	g.request(remoting.CodeHeartbeat, 0, stranger, nil,
		`{"clientID":"`+long[1:]+`","producerDataSet":[{"groupName":"`+long[:bodies.LongestGroup]+`"}]}`)
	is, _ = g.answer()
	assert.Equal(t, remoting.Success, is)
}

// An answer doesn't quote without end what it is about.
func TestWhyABodyIsRefusedIsSaidInShort(t *testing.T) {
	g := newGuarded(t, appKeys)
	g.request(remoting.CodeHeartbeat, 0, stranger, nil, `{"heartbeatFingerprint":`+strings.Repeat("1", 1<<20)+`}`)
	_, remark := g.answer()
	assert.Contains(t, remark, "isn't understood")
	assert.Less(t, len(remark), 2*longestRemark)
}

func TestAConnectionSpeaksForTheClientThatItLastNamed(t *testing.T) {
	b := newStandIn(t, func(int) bool { return true })
	b.answer(remoting.CodeHeartbeat, wire.Reply{})
	g := before(t, b)
	g.sides.Targets.Store(&[]string{"broker-x"})
	g.sides.Brokers[routing.Target].Store(&map[string][]string{"broker-x": {b.Addr().String()}})
	_, client := g.connect(t)
	go func() { _, _ = io.Copy(io.Discard, client) }()
	for i := range int32(3) {
		_, err := client.Write(
			wire.AppendRequest(
				nil,
				remoting.CodeHeartbeat,
				i,
				0,
				nil,
				fmt.Appendf(nil, `{"clientID":"client-%d"}`, i),
			),
		)
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			g.clients.registry.mirrors.mu.Lock()
			defer g.clients.registry.mirrors.mu.Unlock()
			_, there := g.clients.registry.mirrors.claims[claim{bodies.Heartbeat{Client: fmt.Sprintf("client-%d", i)}.Identity(), "broker-x"}]
			return there && len(g.clients.registry.mirrors.claims) == 1
		}, patience, time.Millisecond)
	}
}
