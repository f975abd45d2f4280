package gateway

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// frame is a request with a number, as bytes.
func (g *guarded) frame(code int, opaque, flag int32, by signing, fields []string) []byte {
	g.Helper()
	var f wire.Frame
	raw := wire.AppendRequest(nil, code, opaque, flag, fields, []byte("body"))
	require.NoError(g, f.Parse(raw))
	f.Sign(by.key, by.secret)
	return append(f.AppendHead(nil), f.Body...)
}

// together sends frames in one piece.
func (g *guarded) together(frames ...[]byte) {
	g.Helper()
	var all []byte
	for _, one := range frames {
		all = append(all, one...)
	}
	_, err := g.client.Write(all)
	require.NoError(g, err)
}

// codes are those of the next answers, which must have a number.
func (g *guarded) codes(opaque int32, n int) (all []int) {
	g.Helper()
	for range n {
		code, number := g.answer2()
		require.Equal(g, opaque, number)
		all = append(all, code)
	}
	return all
}

// What a broker refuses counts for nothing, though the client gave another request the same number,
// which the broker does: each has its own answer, as with a broker.
func TestARefusalIsThatOfItsRequestWhateverNumbersAClientUses(t *testing.T) {
	const opaque = 7
	mine := func(fields ...string) []string {
		return append(fields, "consumerGroup", "mine", "topic", "mine", "queueId", "0")
	}
	theirs := requests()
	for name, c := range map[string]struct {
		may, mayNot             int
		mayFields, mayNotFields []string
		fields                  []string // of the answer to the one that is allowed
	}{
		"a commit after a question": {
			remoting.CodeMembers, remoting.CodeUpdateOffset,
			theirs[remoting.CodeMembers].fields, theirs[remoting.CodeUpdateOffset].fields, nil,
		},
		"a pull after a pull": {
			remoting.CodePull, remoting.CodeLitePull, mine("queueOffset", "5", "sysFlag", "0", "commitOffset", "0"),
			theirs[remoting.CodePull].fields,
			[]string{"nextBeginOffset", "9000", "minOffset", "0", "maxOffset", "9000"},
		},
		"a send after a send": {
			remoting.CodeSendV2, remoting.CodeSend,
			[]string{"a", "p", "b", "mine", "e", "0", "i", ""},
			[]string{"producerGroup", "p", "topic", "orders", "queueId", "0", "properties", ""},
			[]string{"msgId", "x", "queueId", "0", "queueOffset", "5000000"},
		},
		"a send after a question": {
			remoting.CodeMaxOffset, remoting.CodeSendV2, theirs[remoting.CodeMaxOffset].fields,
			theirs[remoting.CodeSendV2].fields,
			[]string{"offset", "5000000", "queueOffset", "5000000"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuarded(t, appKeys)
			g.gateway.table.Topics.Ensure("mine").Ensure("broker-a", 1)
			v := g.queue(routing.Source)
			g.source.answer(c.may, wire.Reply{Fields: c.fields})
			g.source.answer(c.mayNot, wire.Reply{Code: remoting.SystemError, Remark: "no permission"})
			g.together(g.frame(c.may, opaque, 0, rightly, c.mayFields),
				g.frame(c.mayNot, opaque, 0, rightly, c.mayNotFields),
				g.frame(c.mayNot, opaque, 0, stranger, c.mayNotFields))
			assert.Equal(t, []int{remoting.Success, remoting.SystemError, remoting.SystemError}, g.codes(opaque, 3))
			is := v.Progress()
			assert.EqualValues(t, [2]int64{-1, -1}, [2]int64{is.Kept, is.Next}, "positions")
			assert.Zero(t, v.Queue.Acked(routing.Source), "what is stored")
			assert.Empty(t, g.gateway.lost(), "none was lost: each has an answer")
		})
	}
}

// lost are the queues with sends whose answers were lost.
func (g *Gateway) lost() (all []string) {
	g.clients.unansweredSends.mu.Lock()
	defer g.clients.unansweredSends.mu.Unlock()
	for q := range g.clients.unansweredSends.of {
		all = append(all, q.String())
	}
	return all
}

// Brokers answer some requests whose clients want no answer, and some late. Such an answer is
// nobody's, though a request that is open has the client's same number, or one of those that the
// gateway's own requests have been seen to have.
func TestAnAnswerThatNobodyWaitsForIsNobodys(t *testing.T) {
	for _, opaque := range []int32{7, -1, -2, 1, lowestOpaque, math.MinInt32} {
		g := newGuarded(t, appKeys)
		v := g.queue(routing.Source)
		r := requests()
		g.source.answers = nil // by itself it answers nothing
		commit := g.frame(remoting.CodeUpdateOffset, opaque, 0, rightly, r[remoting.CodeUpdateOffset].fields)
		g.together(g.frame(remoting.CodeRunningInfo, opaque, wire.FlagOneWay, rightly, nil),
			g.frame(remoting.CodePull, opaque, 0, rightly, r[remoting.CodePull].fields))
		oneWay, pull := g.source.next(t), g.source.next(t)
		g.session.owe(0, nil, g.session.takeAll(func(c call) bool { return isPull(c.code) })...)
		assert.Equal(t, []int{remoting.PullRetryImmediately}, g.codes(opaque, 1))
		g.together(commit)
		last := g.source.next(t)
		g.session.mirror(g.session.port.Dest, g.frame(remoting.CodeHeartbeat, opaque, 0, rightly, nil))
		mirrored := g.source.next(t)
		assert.Len(t, map[int32]bool{
			oneWay.opaque: true, pull.opaque: true, last.opaque: true, mirrored.opaque: true,
		}, 4, "each has a number of its own")
		for _, late := range []int32{oneWay.opaque, pull.opaque, mirrored.opaque, opaque} {
			says := wire.Reply{Fields: []string{"nextBeginOffset", "9000"}}
			_, err := last.conn.Write(wire.AppendReply(nil, late, false, says))
			require.NoError(t, err)
		}
		no := wire.AppendReply(nil, last.opaque, false, wire.Reply{Code: remoting.SystemError})
		_, err := last.conn.Write(no)
		require.NoError(t, err)
		assert.Equal(t, []int{remoting.SystemError}, g.codes(opaque, 1), "the client gets its own answer alone")
		is := v.Progress()
		assert.EqualValues(t, [2]int64{-1, -1}, [2]int64{is.Kept, is.Next}, "positions")
	}
}

// No signature is over the number: brokers verify what the client has signed.
func TestNumbersOfTheGatewaysOwnLeaveSignaturesAlone(t *testing.T) {
	g := newGuarded(t, appKeys)
	var f, goes wire.Frame
	require.NoError(t, f.Parse(g.frame(remoting.CodeMembers, 7, 0, rightly, requests()[remoting.CodeMembers].fields)))
	f.SetOpaque(lowestOpaque)
	assert.False(t, f.Touched(), "it isn't signed anew")
	require.NoError(t, goes.Parse(append(f.AppendHead(nil), f.Body...)))
	assert.EqualValues(t, lowestOpaque, goes.Opaque)
	was := string(goes.Get(wire.FieldSignature))
	require.NotEmpty(t, was)
	goes.Sign(rightly.key, rightly.secret)
	var again wire.Frame
	require.NoError(t, again.Parse(append(goes.AppendHead(nil), goes.Body...)))
	assert.Equal(t, was, string(again.Get(wire.FieldSignature)))
}

// Numbers go on behind those of the process before, and else begin where clients' own aren't.
func TestNumbersGoOnBehindThoseOfThePredecessor(t *testing.T) {
	var before, now opaques
	before.begin()
	now.begin()
	first := before.next()
	assert.GreaterOrEqual(t, first, int32(lowestOpaque))
	now.goOn(before.last.Load())
	assert.Equal(t, first+1, now.next())
	now.goOn(0)
	assert.Equal(t, first+2, now.next(), "a predecessor that doesn't say changes nothing")
	now.last.Store(math.MaxInt32)
	assert.EqualValues(t, math.MinInt32, now.next())

	s := &session{gateway: bare(Config{}).clients, open: map[int32]call{}, mayOpen: freeCalls}
	opaque := s.enter(call{})
	s.gateway.opaques.last.Store(uint32(opaque - 1))
	assert.NotEqual(t, opaque, s.enter(call{}), "one that is open isn't given twice")
	assert.Less(t, time.Since(s.open[opaque].since), patience)
}
