package gateway

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/memory"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// newNamed is a gateway without keys between clusters Old and New, for clients that find it at
// 127.0.0.1:30001.
func newNamed(t *testing.T) *guarded {
	t.Helper()
	g := newGuarded(t, "applications: []")
	g.gateway.clients.keys.File = ""
	g.gateway.sides.Clusters[routing.Source].Learn([]rocketmq.Node{{Cluster: "Old", Name: "broker-a"}})
	g.gateway.sides.Clusters[routing.Target].Learn([]rocketmq.Node{{Cluster: "New", Name: "broker-t"}})
	g.gateway.sides.Migration.Store(&replicas.Migration{Migration: control.Migration{LaneGroup: "lanes"}})
	g.gateway.clients.admission.budget = memory.New(testMemory)
	t.Cleanup(g.gateway.clients.admission.budget.Close)
	g.comesAt(&port{
		Dest: routing.Dest{Side: routing.Source, Broker: "broker-a"}, broker: []byte("broker-a"),
		host: netip.MustParseAddrPort("127.0.0.1:30001"),
	})
	return g
}

// comesAt has the client come to a port.
func (g *guarded) comesAt(p *port) {
	g.session, g.client = g.gateway.connectAt(g.T, p)
	g.in = wire.NewReader(g.client)
}

// whole is the answer to the last request, with its fields.
func (g *guarded) whole() (code int, remark string, fields map[string]string) {
	g.Helper()
	require.NoError(g, g.client.SetReadDeadline(time.Now().Add(patience)))
	var f wire.Frame
	require.NoError(g, g.in.Next(&f))
	require.Equal(g, g.opaque, f.Opaque)
	return f.Code, f.RemarkText(), textsOf(&f)
}

const nobodyThere = "push reply message fail, channel of <10.0.0.7@42> not found."

// replyFields are those of an answer to a request, long or as letters.
func replyFields(code int, topic string) []string {
	const properties = "MSG_TYPE\x01reply\x02REPLY_TO_CLIENT\x0110.0.0.7@42\x02"
	if code == remoting.CodeReply {
		return []string{"producerGroup", "p", "topic", topic, "queueId", "0", "properties", properties}
	}
	return []string{"a", "p", "b", topic, "e", "0", "i", properties, "n", "broker-a"}
}

// Whoever has asked is connected to a broker of one of the sides: an answer goes to the source, and
// to the target when nobody is there, each time to the reply topic of that side.
func TestAnAnswerGoesWhereTheRequesterIs(t *testing.T) {
	nobody := wire.Reply{Code: remoting.SystemError, Remark: nobodyThere}
	other := wire.Reply{Code: remoting.NoPermission, Remark: "no"}
	const stored, storedThere = "0A000001000029AF00000000000004D2", "7F0000010000753101000000000004D2"
	taken := wire.Reply{Fields: []string{"msgId", stored, "queueId", "0", "queueOffset", "9"}}
	for name, c := range map[string]struct {
		source, target wire.Reply
		code           int
		id             string // in the answer
		goesOn         bool
	}{
		"it is connected to the source":   {taken, nobody, remoting.Success, stored, false},
		"it is connected to the target":   {nobody, taken, remoting.Success, storedThere, true},
		"it isn't connected":              {nobody, nobody, remoting.SystemError, "", true},
		"the source refuses it otherwise": {other, taken, remoting.NoPermission, "", false},
	} {
		for _, code := range []int{remoting.CodeReply, remoting.CodeReplyV2} {
			for _, named := range []string{"Old_REPLY_TOPIC", "New_REPLY_TOPIC"} {
				g := newNamed(t)
				g.source.answer(code, c.source)
				g.target.answer(code, c.target)
				held := g.session.memory.Held()
				g.request(code, 0, unsignedBy, replyFields(code, named), "it is done")
				is, _, fields := g.whole()
				assert.Equal(t, c.code, is, "%s, code %d", name, code)
				assert.Equal(t, c.id, fields["msgId"], "%s, code %d", name, code)
				topic, queue, broker, _ := keysOf(code)
				asked := g.source.next(t).fields
				assert.Equal(t, "Old_REPLY_TOPIC", asked[topic], "%s, code %d", name, code)
				if c.goesOn {
					asked = g.target.next(t).fields
					assert.Equal(t, []string{"New_REPLY_TOPIC", "0", "broker-t"},
						[]string{asked[topic], asked[queue], asked[broker]}, "%s, code %d", name, code)
				}
				g.nothing(name)
				assert.Equal(t, held, g.session.memory.Held(), name)
				assert.Equal(t, c.code == remoting.Success, g.session.replied.Load(), name)
			}
		}
	}
}

// An answer whose client doesn't wait for it goes on to the target, too.
func TestAnAnswerThatNobodyWaitsForGoesOnToTheTarget(t *testing.T) {
	g := newNamed(t)
	g.source.answer(remoting.CodeReplyV2, wire.Reply{Code: remoting.SystemError, Remark: nobodyThere})
	g.target.answer(remoting.CodeReplyV2, wire.Reply{Code: remoting.SystemError, Remark: nobodyThere})
	fields := replyFields(remoting.CodeReplyV2, "Old_REPLY_TOPIC")
	g.request(remoting.CodeReplyV2, wire.FlagOneWay, unsignedBy, fields, "it is done")
	require.Equal(t, remoting.CodeReplyV2, g.source.next(t).code)
	require.Equal(t, "New_REPLY_TOPIC", g.target.next(t).fields["b"])
	g.request(remoting.CodeMembers, 0, unsignedBy, []string{"consumerGroup", "billing"}, "")
	_, _ = g.answer() // to this request, and no other one
}

// While the source's broker is away, the target's may have who has asked.
func TestAnAnswerGoesToTheTargetWhileTheSourceIsAway(t *testing.T) {
	g := newNamed(t)
	require.NoError(t, g.source.Close())
	g.target.answer(remoting.CodeReplyV2, wire.Reply{Fields: []string{"msgId", "0"}})
	g.request(remoting.CodeReplyV2, 0, unsignedBy, replyFields(remoting.CodeReplyV2, "Old_REPLY_TOPIC"), "it is done")
	is, remark := g.answer()
	assert.Equal(t, remoting.Success, is, remark)
	assert.Equal(t, "New_REPLY_TOPIC", g.target.next(t).fields["b"])
}

// Where no broker of the target can be reached, whoever answers is told what the source has said.
func TestAnAnswerIsRefusedInTheSourcesWordsWhileTheTargetIsAway(t *testing.T) {
	g := newNamed(t)
	require.NoError(t, g.target.Close())
	const says = nobodyThere + "\n\tat \"x\""
	g.source.answer(remoting.CodeReplyV2, wire.Reply{Code: remoting.SystemError, Remark: says})
	g.request(remoting.CodeReplyV2, 0, unsignedBy, replyFields(remoting.CodeReplyV2, "Old_REPLY_TOPIC"), "it is done")
	is, remark, _ := g.whole()
	assert.Equal(t, remoting.SystemError, is)
	assert.Equal(t, says, remark)
}

// A broker of the target that has an answer for a client behind the gateway gives it to the client,
// with the names that it knows, and gets what the client says.
func TestATargetBrokersAnswerReachesItsRequester(t *testing.T) {
	g := newNamed(t)
	_, err := g.broker().Write(wire.AppendRequest(nil, remoting.CodePushReply, 77, 0, []string{
		"producerGroup", "p", "topic", "New_REPLY_TOPIC",
		"storeHost", "10.0.0.9:10911", "bornHost", "10.0.0.8:4",
	}, []byte("it is done")))
	require.NoError(t, err)
	var f wire.Frame
	require.NoError(t, g.client.SetReadDeadline(time.Now().Add(patience)))
	require.NoError(t, g.in.Next(&f))
	assert.Equal(t, remoting.CodePushReply, f.Code)
	assert.Equal(t, map[string]string{
		"producerGroup": "p", "topic": "Old_REPLY_TOPIC",
		"storeHost": "127.0.0.1:30001", "bornHost": "10.0.0.8:4",
	}, textsOf(&f))
	assert.Equal(t, "it is done", string(f.Body))
	_, err = g.client.Write(wire.AppendReply(nil, f.Opaque, false, wire.Reply{}))
	require.NoError(t, err)
	pushed := g.target.next(t)
	assert.Equal(t, remoting.Success, pushed.code)
	assert.EqualValues(t, 77, pushed.opaque, "the broker's own number")
}

// Clients that ask where the target's reply topic is get the source's: they'd find no broker else.
func TestTheRouteOfATargetsReplyTopicIsThatOfTheSource(t *testing.T) {
	for asked, want := range map[string]string{
		"New_REPLY_TOPIC": "Old_REPLY_TOPIC", "Old_REPLY_TOPIC": "Old_REPLY_TOPIC",
		"Other_REPLY_TOPIC": "Other_REPLY_TOPIC", "New": "New",
	} {
		g := newNamed(t)
		g.gateway.config.NameServers = []string{g.source.Addr().String()}
		g.source.answer(remoting.CodeRoute, wire.Reply{Code: remoting.SystemError})
		g.comesAt(&port{Dest: routing.NameServers, names: true})
		g.request(remoting.CodeRoute, 0, unsignedBy, []string{"topic", asked}, "")
		_, _ = g.answer()
		assert.Equal(t, want, g.source.next(t).fields["topic"])
	}
}
