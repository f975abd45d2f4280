package gateway

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/memory"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// amid is a client whose send waits for its answer behind others: of the first, half has come.
type amid struct {
	*testing.T
	gateway *Gateway
	session *session
	client  net.Conn
	up      *upstream
	other   *memory.Holder // of another address
	asked   [3]standInFrame
	rest    []byte // of the first answer
}

const (
	amidMemory = 40 << 20 // what there is to share, a fourth of it for little things alone
	amidAnswer = 12 << 20 // an answer's body, which takes twice as much
	amidOther  = 20 << 20 // what the other address takes
)

func newAmid(t *testing.T) *amid {
	t.Helper()
	b := newStandIn(t, func(int) bool { return true })
	a := &amid{T: t, gateway: before(t, b)}
	a.gateway.clients.admission.budget = memory.New(amidMemory)
	t.Cleanup(a.gateway.clients.admission.budget.Close)
	a.other = a.gateway.clients.admission.budget.Enter(netip.MustParseAddr("192.0.2.1"), func(int64) {})
	a.session, a.client = a.gateway.connect(t)
	_, err := a.client.Write(append(append(asks(1), asks(2)...), sendFrame(3, 10)...))
	require.NoError(t, err)
	for i := range a.asked {
		a.asked[i] = b.next(t)
	}
	a.up, err = a.session.upstream(a.session.port.Dest)
	require.NoError(t, err)
	first := a.answer(0, wire.Reply{Body: make([]byte, amidAnswer)})
	a.writes(first[:amidAnswer/2])
	a.rest = first[amidAnswer/2:]
	a.until("memory is taken for the first answer", func() bool {
		return a.session.memory.Held() >= 2*amidAnswer
	})
	return a
}

func (a *amid) answer(i int, with wire.Reply) []byte {
	return wire.AppendReply(nil, a.asked[i].opaque, false, with)
}

func (a *amid) writes(raw []byte) {
	a.Helper()
	_, err := a.asked[0].conn.Write(raw)
	require.NoError(a, err)
}

func (a *amid) until(what string, ok func() bool) {
	a.Helper()
	require.Eventually(a, ok, patience, time.Millisecond, what)
}

// settles writes what is left, and wants the send to be answered.
func (a *amid) settles(answer wire.Reply) {
	a.Helper()
	go func() {
		_, _ = a.asked[0].conn.Write(bytes.Join([][]byte{
			a.rest, a.answer(1, wire.Reply{Body: make([]byte, amidAnswer)}), a.answer(2, answer),
		}, nil))
	}()
	_, err := a.gateway.settles(patience)
	require.NoError(a, err)
	assert.Empty(a, a.gateway.lost())
	if answer.Code == remoting.Success {
		acked := a.gateway.table.Topics.Get([]byte("orders")).All()[0].Acked(routing.Source)
		assert.EqualValues(a, 6, acked, "where it was stored is known")
	}
}

// endings of sends, as brokers answer them.
var endings = map[string]wire.Reply{
	"refused":        {Code: remoting.NoPermission},
	"refused, long":  {Code: remoting.SystemError, Remark: strings.Repeat("r", 20_000)},
	"stored":         {Fields: []string{"queueOffset", "5", "msgId", "x"}},
	"stored, a long": {Fields: []string{"queueOffset", "5", "transactionId", strings.Repeat("x", 30_000)}},
}

// A client that holds memory while an answer comes is evicted for others, and loses no send: else
// anybody who may read large messages could keep homes where they are.
func TestAnEvictedClientLosesNoSend(t *testing.T) {
	for name, ending := range endings {
		t.Run(name, func(t *testing.T) {
			a := newAmid(t)
			got := make(chan error, 1)
			go func() { got <- a.other.Take(amidOther) }()
			a.until("it is evicted", a.session.isClosed)
			a.writes(a.rest[:100])
			a.rest = a.rest[100:]
			require.NoError(t, <-got, "its memory is free before the answer's end")
			a.settles(ending)
		})
	}
}

// So does one that goes, though there is no room for the next answer.
func TestAClientThatGoesWhileAnAnswerComesLosesNoSend(t *testing.T) {
	for name, ending := range endings {
		t.Run(name, func(t *testing.T) {
			a := newAmid(t)
			require.NoError(t, a.client.Close())
			a.until("its session ends", a.session.isClosed)
			a.writes(a.rest[:100])
			a.rest = a.rest[100:]
			require.NoError(t, a.other.Take(amidOther))
			a.settles(ending)
		})
	}
}

// An answer that is longer than RocketMQ's frames may be, or than there can be room for, is missing
// to its client alone, which stays.
func TestAnAnswerThatIsTooLargeLosesNoSend(t *testing.T) {
	for _, body := range []int{wire.MaxFrame, amidAnswer} {
		b := newStandIn(t, func(int) bool { return true })
		b.answer(remoting.CodeRunningInfo, wire.Reply{Body: make([]byte, body)})
		b.answer(remoting.CodeSendV2, wire.Reply{Code: remoting.NoPermission})
		g := before(t, b)
		g.clients.admission.budget = memory.New(amidAnswer)
		_, client := g.connect(t)
		_, err := client.Write(append(asks(1), sendFrame(2, 10)...))
		require.NoError(t, err)
		in := wire.NewReader(client)
		var f wire.Frame
		for i, code := range []int{remoting.ServiceNotAvailable, remoting.NoPermission} {
			require.NoError(t, in.Next(&f))
			require.Equal(t, code, f.Code, "%s", f.Remark)
			require.EqualValues(t, i+1, f.Opaque)
		}
		assert.Empty(t, g.lost())
	}
}

// A restart in the middle of what is thrown away ends the connection: another process wouldn't know
// where the next frame begins.
func TestAConnectionDoesNotPassInTheMiddleOfWhatIsThrownAway(t *testing.T) {
	a := newAmid(t)
	require.NoError(t, a.client.Close())
	a.until("its session ends", a.session.isClosed)
	a.writes(a.rest[:100])
	a.until("what comes is thrown away", func() bool { return a.session.memory.Held() == 0 })
	ctx, over := context.WithTimeout(context.Background(), patience)
	defer over()
	_, whole := a.up.stopping.Stop(ctx, a.up.conn)
	assert.False(t, whole)
}
