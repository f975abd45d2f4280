package gateway

import (
	"net"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
)

// silentServer is a port where connections get no answer, as if a network dropped their packets: it
// takes no more than fill its queue.
func silentServer(t *testing.T) (addr string, close func()) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	at := &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}
	require.NoError(t, syscall.Bind(fd, at))
	require.NoError(t, syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port))
	for range 10 { // more than fit into the queue; nobody waits for them
		client, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0)
		require.NoError(t, err)
		t.Cleanup(func() { _ = syscall.Close(client) })
		if err := syscall.Connect(client, name); err != nil {
			require.ErrorIs(t, err, syscall.EINPROGRESS)
		}
	}
	return addr, func() { _ = syscall.Close(fd) }
}

// A server that is silent holds up whoever asks for it first; all others are told at once, until it
// answers again.
func TestASilentServerHoldsUpNobodyTwice(t *testing.T) {
	g := idle(t)
	t.Cleanup(g.running.Wait)
	t.Cleanup(g.stop)
	addr, end := silentServer(t)
	g.sides.Brokers[routing.Target].Store(&map[string][]string{"broker-x": {addr}})
	to := routing.Dest{Side: routing.Target, Broker: "broker-x"}
	_, first := g.clients.dial(to)
	require.True(t, gaveNoAnswer(first), "%v", first)
	for range 100 {
		_, err := g.clients.dial(to)
		same := err == first //nolint:errorlint // the very same one
		require.True(t, same, "what the first one was told, nobody has tried again for this one: %v", err)
	}

	end() // it refuses now
	require.Eventually(t, func() bool { return g.sides.Reach.Why(to) == nil }, patience, 10*time.Millisecond,
		"a server that refuses isn't silent")
	again, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = again.Close() })
	conn, err := g.clients.dial(to)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}

func TestARefusingServerIsTriedEachTime(t *testing.T) {
	g := idle(t)
	g.sides.Brokers[routing.Target].Store(&map[string][]string{"broker-x": {"127.0.0.1:1"}})
	for range 2 {
		_, err := g.clients.dial(routing.Dest{Side: routing.Target, Broker: "broker-x"})
		require.ErrorContains(t, err, "refused")
		require.NoError(t, g.sides.Reach.Why(routing.Dest{Side: routing.Target, Broker: "broker-x"}))
	}
}
