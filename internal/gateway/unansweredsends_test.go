package gateway

import (
	"context"
	"io"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// settles has the queues of topic orders held, and wants what was sent to them to come to its end.
func (g *Gateway) settles(within time.Duration, accept ...string) (inexact []string, err error) {
	m := g.holdAll(g.table.Topics.Get([]byte("orders")).All())
	defer m.release()
	ctx, cancel := context.WithTimeoutCause(context.Background(), within, rounds.ErrBudget)
	defer cancel()
	return g.settle(ctx, m, accept)
}

// A send whose client goes before it has the answer is no loss: the broker's answer is waited for,
// be it a refusal. Else anybody could keep homes where they are, by sending what is refused.
func TestAClientThatGoesLosesNoSend(t *testing.T) {
	for name, answer := range map[string]wire.Reply{
		"refused": {Code: remoting.NoPermission}, "stored": {Fields: []string{"queueOffset", "5", "msgId", "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newStandIn(t, func(int) bool { return true })
			g := before(t, b)
			s, client := g.connect(t)
			_, err := client.Write(sendFrame(1, 10))
			require.NoError(t, err)
			asked := b.next(t)
			_ = client.Close()
			require.Eventually(t, func() bool { return len(g.clients.registry.all()) == 0 && s.isClosed() },
				patience, time.Millisecond, "its session is forgotten")
			_, err = g.settles(50 * time.Millisecond)
			require.ErrorContains(t, err, "1 sends are without an answer", "it may be stored yet")
			_, err = asked.conn.Write(wire.AppendReply(nil, asked.opaque, false, answer))
			require.NoError(t, err)
			_, err = g.settles(patience)
			require.NoError(t, err)
			assert.Empty(t, g.lost())
			if answer.Code == remoting.Success {
				acked := g.table.Topics.Get([]byte("orders")).All()[0].Acked(routing.Source)
				assert.EqualValues(t, 6, acked, "where it was stored is known")
			}
			require.Eventually(t, func() bool { return len(g.clients.unansweredSends.ended()) == 0 },
				patience, time.Millisecond, "its connection has ended")
		})
	}
}

// What breaks between gateway and broker is a loss, whether the client has gone before or not. A
// caller may move homes all the same, if it names the topic.
func TestALostSendHoldsUpMovesUntilTheCallerAcceptsIt(t *testing.T) {
	for _, gone := range []bool{false, true} {
		b := newStandIn(t, func(int) bool { return true })
		g := before(t, b)
		_, client := g.connect(t)
		_, err := client.Write(sendFrame(1, 10))
		require.NoError(t, err)
		asked := b.next(t)
		if gone {
			_ = client.Close()
		}
		_ = asked.conn.Close()
		require.Eventually(t, func() bool { return len(g.lost()) == 1 }, patience, time.Millisecond)
		_, err = g.settles(50*time.Millisecond, "another topic")
		require.ErrorContains(t, err, "orders")
		require.ErrorContains(t, err, "accept the topic")
		inexact, err := g.settles(patience, "orders")
		require.NoError(t, err)
		require.Len(t, inexact, 1)
		assert.Contains(t, inexact[0], "a send was lost with its connection")
	}
}

// Who doesn't read what it has asked for keeps the connection to its broker from being read, too,
// and with it the answers to sends. It is let go when a move waits for these.
func TestAClientThatDoesNotReadHoldsUpNoMove(t *testing.T) {
	b := newStandIn(t, func(int) bool { return true })
	b.answer(remoting.CodeRunningInfo, wire.Reply{Body: make([]byte, 12<<20)})
	b.answer(remoting.CodeSendV2, wire.Reply{Code: remoting.NoPermission})
	g := before(t, b)
	s, client := g.connect(t)
	_, err := client.Write(append(asks(1), sendFrame(2, 10)...))
	require.NoError(t, err)
	b.next(t)
	b.next(t)
	require.Eventually(t, func() bool { return s.out.Blocked() > 0 }, patience, time.Millisecond)
	_, err = g.settles(patience)
	require.NoError(t, err)
	assert.Empty(t, g.lost())
	n, _ := io.Copy(io.Discard, client) // however it ends
	assert.Less(t, n, int64(12<<20), "its connection was closed")
}

// A server closes the connection over which a frame comes that is too long for it, and answers
// nothing more. So a client's frame is refused that could become too long on its way.
func TestAFrameThatCouldBecomeTooLongOnItsWayGoesNowhere(t *testing.T) {
	for most, comes := range map[int]bool{
		wire.MaxFrame - longestGrowth: true, wire.MaxFrame - longestGrowth + 1: false,
	} {
		b := newStandIn(t, func(int) bool { return true })
		g := before(t, b)
		_, client := g.connect(t)
		raw := sendFrame(1, 0)
		raw = sendFrame(1, most+4-len(raw))
		go func() { _, _ = client.Write(raw) }()
		if comes {
			assert.Equal(t, remoting.CodeSendV2, b.next(t).code)
			continue
		}
		_, err := client.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		assert.Empty(t, b.got)
	}
}

// What the process before may have sent just before its end isn't known here: homes stay until its
// brokers have answered, and ten seconds more.
func TestAfterAnotherStartWhatWasSentBeforeIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there, other := routing.Dest{
			Side:   routing.Source,
			Broker: "broker-a",
		}, routing.Dest{
			Side:   routing.Target,
			Broker: "broker-t",
		}, routing.Dest{
			Side:   routing.Source,
			Broker: "broker-b",
		}
		q := &routing.Queue{Topic: "orders", Broker: here.Broker}
		of := map[*routing.Queue]bool{q: true}
		var l unansweredSends
		began := unansweredSend{since: time.Now()}
		l.before = map[routing.Dest]unansweredSend{here: began, there: began, other: began}
		require.Len(t, l.among(of), 1, "that of its broker")
		q.SetLane(&lane.Lane{Target: lane.Queue{Broker: there.Broker}})
		require.Len(t, l.among(of), 2, "and of its replica's")
		time.Sleep(time.Hour)
		require.Contains(t, l.among(of)[0].String(), "hasn't answered anything since")
		for _, to := range []routing.Dest{here, there} {
			require.True(t, l.answered(to, time.Now(), false))
			require.False(t, l.answered(to, time.Now(), true))
		}
		time.Sleep(lossTime)
		require.Len(t, l.among(of), 2)
		require.Contains(t, l.among(of)[0].String(), "the one before may have sent to it")
		time.Sleep(time.Millisecond)
		require.Empty(t, l.among(of))
		assert.Len(t, l.before, 1)
	})
}

// Only a gateway that has served before waits so, and sends aren't held for nothing meanwhile.
func TestAGatewayThatBeginsAgainMovesNoHomesAtOnce(t *testing.T) {
	broker := newStandIn(t, func(int) bool { return true })
	broker.answer(codeConfig, wire.Reply{})
	g := before(t, broker)
	queues := g.table.Topics.Get([]byte("orders")).All()
	r := store.Round{Kind: control.KindHome, To: "target", Budget: control.Duration(time.Second)}
	require.NoError(t, g.worthATry(r, queues))
	g.clients.beginsAgain()
	require.Eventually(t, func() bool { return g.worthATry(r, queues) != nil },
		patience, time.Millisecond, "its broker has answered")
	require.ErrorContains(t, g.worthATry(r, queues), "may still be on its way to the broker: wait ")
	r.Accept = []string{"orders"}
	require.NoError(t, g.worthATry(r, queues))
	inexact, err := g.settles(patience, "orders")
	require.NoError(t, err)
	assert.Len(t, inexact, 2, "one for each queue")
}

// Who looks for sends without an answer finds one, or knows where it was stored: before, an
// answered send was neither for a moment, and a home could move as if its last message weren't
// there.
func TestASendIsKnownBeforeItIsOutOfSight(t *testing.T) {
	const sent = 1000
	b := newStandIn(t, func(int) bool { return true })
	g := before(t, b)
	s, client := g.connect(t)
	go func() { _, _ = io.Copy(io.Discard, client) }()
	q := g.table.Topics.Get([]byte("orders")).All()[0]
	of := map[*routing.Queue]bool{q: true}
	for i := range int64(sent) {
		_, err := client.Write(sendFrame(1, 10))
		require.NoError(t, err)
		asked := b.next(t)
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			_, _ = asked.conn.Write(wire.AppendReply(nil, asked.opaque, false,
				wire.Reply{Fields: []string{"queueOffset", strconv.FormatInt(i, 10), "msgId", "x"}}))
		}()
		for s.sendsTo(of) > 0 {
			runtime.Gosched()
		}
		require.Equal(t, i+1, q.Acked(routing.Source), "where send %d was stored is known", i)
		<-answered
	}
}
