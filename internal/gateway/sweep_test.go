package gateway

import (
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// A broker that forgets a send, and one that says nothing at all: the client hears of it, and the
// queue may move again once nothing can be on its way.
func TestASendThatIsNeverAnsweredIsALoss(t *testing.T) {
	b := newStandIn(t, func(int) bool { return true })
	g := before(t, b)
	g.clients.waits = waits{frame: time.Hour, send: time.Minute, answer: time.Hour, silent: 2 * time.Minute}
	s, client := g.connect(t)
	answers := make(chan wire.Reply, 10)
	go func() {
		in := wire.NewReader(client)
		var f wire.Frame
		for in.Next(&f) == nil {
			answers <- wire.Reply{Code: f.Code, Remark: string(f.Remark)}
		}
		close(answers)
	}()
	asks := func(raw []byte) standInFrame {
		t.Helper()
		_, err := client.Write(raw)
		require.NoError(t, err)
		return b.next(t)
	}
	asks(sendFrame(1, 10))
	queues := map[*routing.Queue]bool{g.table.Topics.Get([]byte("orders")).All()[0]: true}
	require.Equal(t, 1, s.sendsTo(queues))
	begin := time.Now()
	s.sweep(begin)
	s.sweep(begin.Add(90 * time.Second))
	require.Equal(t, 1, s.sendsTo(queues), "the broker may stand still: it would store the send when it goes on")

	other := asks(wire.AppendRequest(nil, remoting.CodeRunningInfo, 2, 0, nil, nil))
	_, err := other.conn.Write(wire.AppendReply(nil, other.opaque, false, wire.Reply{}))
	require.NoError(t, err)
	require.Equal(t, remoting.Success, (<-answers).Code)
	s.sweep(begin.Add(91 * time.Second))
	forgotten := <-answers
	assert.Equal(t, remoting.ServiceNotAvailable, forgotten.Code)
	assert.Contains(t, forgotten.Remark, "hasn't answered it for 1m0s")
	assert.Zero(t, s.sendsTo(queues))
	assert.NotEmpty(t, g.clients.unansweredSends.among(queues), "it may be stored late")

	asks(sendFrame(3, 10))
	s.sweep(begin.Add(4 * time.Minute))
	s.sweep(begin.Add(7 * time.Minute))
	_, open := <-answers
	assert.False(t, open, "a client sees a silent broker go as one that has died")
}

func TestALossLastsUntilItsBrokerAnswersAndTenSecondsMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l unansweredSends
		q, broker := &routing.Queue{}, routing.Dest{Side: routing.Source, Broker: "broker-a"}
		of := map[*routing.Queue]bool{q: true}
		l.of, l.asking = map[*routing.Queue]unansweredSend{
			q: {at: broker, since: time.Now()},
		}, map[routing.Dest]bool{
			broker: true,
		}
		time.Sleep(time.Hour)
		require.True(t, l.answered(broker, time.Now(), false))
		lost := l.among(of)
		require.Len(t, lost, 1)
		require.True(t, lost[0].queue == q && lost[0].answered.IsZero(), "its broker has stood still for an hour")
		require.False(t, l.answered(broker, time.Now(), true))
		time.Sleep(lossTime)
		lost = l.among(of)
		require.True(t, lost[0].queue == q && !lost[0].answered.IsZero())
		time.Sleep(time.Millisecond)
		require.Empty(t, l.among(of))
	})
}

// Who begins a frame and doesn't end it, or never says anything, is let go; who rests between
// frames is not.
func TestUnfinishedFramesAreNotWaitedForWithoutEnd(t *testing.T) {
	b := newStandIn(t, func(int) bool { return true })
	g := before(t, b)
	g.clients.waits = waits{frame: time.Minute, send: time.Hour, answer: time.Hour, silent: time.Hour}
	half := sendFrame(1, 10)[:20]
	all := map[string][][]byte{
		"silent":     nil,
		"half":       {half},
		"rests":      {sendFrame(1, 10)},
		"half again": {sendFrame(1, 10), half},
	}
	clients := map[string]net.Conn{}
	var sessions []*session
	for name, pieces := range all {
		s, client := g.connect(t)
		sessions, clients[name] = append(sessions, s), client
		for _, piece := range pieces {
			_, err := client.Write(piece)
			require.NoError(t, err)
		}
		require.Eventually(t, func() bool {
			whole := map[string]int64{"rests": 1, "half again": 1}[name]
			return s.frames.Load() == whole && s.begun.Load() == (name == "half" || name == "half again")
		}, patience, time.Millisecond, name)
	}
	begin := time.Now()
	for _, s := range sessions {
		s.sweep(begin)
		s.sweep(begin.Add(2 * time.Minute))
	}
	for name, client := range clients {
		_ = client.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, err := client.Read(make([]byte, 1))
		assert.Equal(t, name == "rests", errors.Is(err, os.ErrDeadlineExceeded), "%s: %v", name, err)
	}
}
