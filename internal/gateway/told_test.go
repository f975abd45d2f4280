package gateway

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// storedMessage is a message as a broker at 10.0.0.9:10911 shows it, at 1234 in its commit log.
func storedMessage(topic string, queue int, offset int64, properties string) []byte {
	b := make([]byte, 88, 200)
	binary.BigEndian.PutUint32(b[4:], 0xDAA320A7)
	binary.BigEndian.PutUint32(b[12:], uint32(queue))
	binary.BigEndian.PutUint64(b[20:], uint64(offset))
	binary.BigEndian.PutUint64(b[28:], 1234)
	copy(b[64:], []byte{10, 0, 0, 9})
	binary.BigEndian.PutUint32(b[68:], 10911)
	b = append(append(b, byte(len(topic))), topic...)
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(properties))), properties...)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

const (
	idThere = "0A0000090000 2A9F00000000000004D2" // of message 1234 at 10.0.0.9:10911
	ofOther = "0A0000080000 2A9F00000000000004D2" // of a broker that isn't the target's
	idHere  = "7F0000010000 753101000000000004D2" // what clients are told of the first one
	clients = "0A00000900162A9F00000000000004D2"  // an id that a client of process 22 has made
)

// id is an id without the space that makes it readable.
func id(text string) string { return text[:12] + text[13:] }

// told is what a frame says to a client.
func (g *guarded) told() (f wire.Frame, messages []remoting.Message) {
	g.Helper()
	require.NoError(g, g.client.SetReadDeadline(time.Now().Add(patience)))
	require.NoError(g, g.in.Next(&f))
	messages, err := remoting.AppendMessages(nil, f.Body)
	require.NoError(g, err)
	return f, messages
}

// knowsTheBrokerOfIDs makes the target's broker known as that at 10.0.0.9:10911 as well.
func (g *guarded) knowsTheBrokerOfIDs() {
	g.gateway.sides.Brokers[routing.Target].Store(&map[string][]string{
		"broker-t": {g.target.Addr().String(), "10.0.0.9:10911"},
	})
}

// isTold wants a message to say what clients know: queue 0 of a source broker, behind the gateway.
func (g *guarded) isTold(what string, m remoting.Message, offset int64, properties string) {
	g.Helper()
	assert.Equal(g, 0, m.Queue, what)
	assert.Equal(g, offset, m.QueueOffset, what)
	assert.Equal(g, replicas.TagOf(0)|1234, m.PhysicalOffset, what)
	assert.Equal(g, netip.MustParseAddrPort("127.0.0.1:30001"), m.StoreHost, what)
	assert.Equal(g, properties, string(m.Properties), what)
}

// Messages that are read on the target name the cluster, queue, host and ids that clients know;
// region and trace switch are the target's, which Assess compares.
func TestMessagesOfTheTargetNameWhatClientsKnow(t *testing.T) {
	const region = "MSG_REGION\x01eu\x02TRACE_ON\x01true\x02"
	for _, topic := range []string{"orders", "%RETRY%billing"} {
		g := newNamed(t)
		g.knowsTheBrokerOfIDs()
		g.gateway.table.Topics.Ensure(topic).Ensure("broker-a", 1)
		q := g.gateway.table.Topics.Get([]byte(topic)).Queue([]byte("broker-a"), 0)
		q.SetLane(&lane.Lane{
			Topic: topic, Source: lane.Queue{Broker: "broker-a"},
			Target: lane.Queue{Broker: "broker-t", ID: 1},
		})
		v := g.gateway.table.Groups.Get([]byte("billing")).Of(q)
		g.gateway.table.MoveView(v, routing.ViewState{Side: routing.Target, Shift: [2]int64{routing.Target: 100}})
		ids := "ORIGIN_MESSAGE_ID\x01" + id(idThere) + "\x02"
		body := append(
			storedMessage(topic, 1, 105, "CLUSTER\x01New\x02"+region+ids),
			storedMessage(topic, 1, 106,
				"CLUSTER\x01Old\x02CLUSTER\x01New\x02ORIGIN_MESSAGE_ID\x01"+clients+"\x02")...)
		g.target.answer(remoting.CodePull, wire.Reply{Body: body, Fields: []string{
			"nextBeginOffset", "107", "minOffset", "100", "maxOffset", "107", "suggestWhichBrokerId", "1",
		}})
		g.request(remoting.CodePull, 0, unsignedBy, []string{
			"consumerGroup", "billing", "topic", topic, "queueId", "0", "queueOffset", "5", "sysFlag", "0",
			"commitOffset", "0",
		}, "")
		f, messages := g.told()
		assert.Equal(t, map[string]string{
			"nextBeginOffset": "7", "minOffset": "0", "maxOffset": "7", "suggestWhichBrokerId": "0",
		}, textsOf(&f))
		require.Len(t, messages, 2)
		ids = "ORIGIN_MESSAGE_ID\x01" + id(idHere) + "\x02"
		g.isTold(topic, messages[0], 5, "CLUSTER\x01Old\x02"+region+ids)
		g.isTold(topic, messages[1], 6,
			"CLUSTER\x01Old\x02CLUSTER\x01Old\x02ORIGIN_MESSAGE_ID\x01"+clients+"\x02")
	}
}

// A retry that was copied from the target to the source names the message that failed there as
// clients know it. Ids of brokers of the source stay.
func TestCopiedRetriesNameIDsThatClientsKnow(t *testing.T) {
	g := newNamed(t)
	g.knowsTheBrokerOfIDs()
	g.gateway.table.Topics.Ensure("%RETRY%billing").Ensure("broker-a", 1)
	q := g.gateway.table.Topics.Get([]byte("%RETRY%billing")).Queue([]byte("broker-a"), 0)
	g.gateway.table.Groups.Get([]byte("billing")).Of(q)
	named := func(is string) string { return "CLUSTER\x01Old\x02ORIGIN_MESSAGE_ID\x01" + is + "\x02" }
	g.source.answer(remoting.CodePull, wire.Reply{
		Body: append(storedMessage("%RETRY%billing", 0, 5, named(id(idThere))),
			storedMessage("%RETRY%billing", 0, 6, named(id(ofOther)))...),
		Fields: []string{
			"nextBeginOffset", "7", "minOffset", "0", "maxOffset", "7", "suggestWhichBrokerId", "0",
		},
	})
	g.request(remoting.CodePull, 0, unsignedBy, []string{
		"consumerGroup", "billing", "topic", "%RETRY%billing", "queueId", "0", "queueOffset", "5",
		"sysFlag", "0", "commitOffset", "0",
	}, "")
	_, messages := g.told()
	require.Len(t, messages, 2)
	assert.Equal(t, named(id(idHere)), string(messages[0].Properties))
	assert.Equal(t, named(id(ofOther)), string(messages[1].Properties))
	assert.EqualValues(t, 1234, messages[0].PhysicalOffset, "it lies on the source")
}

// The answer to a send names queue, offset and ids that clients know. A handle to recall a message
// names a broker that they don't find, so there is none.
func TestAnswersToSendsNameWhatClientsKnow(t *testing.T) {
	g := newNamed(t)
	v := g.queue(routing.Target)
	v.Queue.SetHome(v.Queue.At(), 100)
	g.target.answer(remoting.CodeSendV2, wire.Reply{Fields: []string{
		"msgId", id(idThere) + "," + id(ofOther), "queueId", "1", "queueOffset", "105",
		"transactionId", "7F01",
		"MSG_REGION", "eu", "TRACE_ON", "true", "recallHandle", "djEgb3JkZXJzIGJyb2tlci10IDEgMg==",
	}})
	r := requests()[remoting.CodeSendV2]
	g.request(remoting.CodeSendV2, 0, unsignedBy, r.fields, r.body)
	_, _, fields := g.whole()
	assert.Equal(t, map[string]string{
		"msgId": id(idHere) + "," + id(idHere), "queueId": "0", "queueOffset": "5",
		"transactionId": "7F01",
		"MSG_REGION":    "eu", "TRACE_ON": "true", "recallHandle": "",
	}, fields, "all ids of an answer are the broker's, whatever address it gives")
}

// A message that is asked for by its id has the place that clients know.
func TestAMessageByItsIDNamesWhatClientsKnow(t *testing.T) {
	g := newNamed(t)
	v := g.queue(routing.Target)
	v.Queue.SetHome(v.Queue.At(), 100)
	g.target.answer(remoting.CodeViewMessage, wire.Reply{
		Body: storedMessage("orders", 1, 105, "CLUSTER\x01New\x02"),
	})
	g.request(remoting.CodeViewMessage, 0, unsignedBy, requests()[remoting.CodeViewMessage].fields, "")
	_, messages := g.told()
	require.Len(t, messages, 1)
	g.isTold("by its id", messages[0], 5, "CLUSTER\x01Old\x02")
}

// asksClient has the target's broker ask the client, and returns what the client gets.
func (g *guarded) asksClient(code int, fields []string, body []byte) (
	wire.Frame, []remoting.Message,
) {
	g.Helper()
	_, err := g.broker().Write(wire.AppendRequest(nil, code, 77, 0, fields, body))
	require.NoError(g, err)
	return g.told()
}

// broker is the connection of the target's broker to the gateway, for the client.
func (g *guarded) broker() net.Conn {
	g.Helper()
	g.target.answer(remoting.CodeViewMessage, wire.Reply{})
	g.request(remoting.CodeViewMessage, 0, unsignedBy, requests()[remoting.CodeViewMessage].fields, "")
	_, _ = g.answer()
	return g.target.next(g.T).conn
}

// What brokers of the target ask clients names what these know. Whatever isn't for them to ask is
// refused.
func TestQuestionsOfTheTargetNameWhatClientsKnow(t *testing.T) {
	g := newNamed(t)
	v := g.queue(routing.Target)
	v.Queue.SetHome(v.Queue.At(), 100)
	message := func() []byte {
		return storedMessage("orders", 1, 105, "PGROUP\x01p\x02CLUSTER\x01New\x02")
	}
	const told = "PGROUP\x01p\x02CLUSTER\x01Old\x02"

	f, messages := g.asksClient(remoting.CodeCheckTransaction, []string{
		"commitLogOffset", "1234", "tranStateTableOffset", "105", "offsetMsgId", id(idThere),
		"bname", "broker-t", "msgId", "7F01", "transactionId", "7F01",
	}, message())
	assert.Equal(t, map[string]string{
		"commitLogOffset": "72057594037929170", "tranStateTableOffset": "105", "offsetMsgId": id(idHere),
		"bname": "broker-a", "msgId": "7F01", "transactionId": "7F01",
	}, textsOf(&f))
	g.isTold("a transaction", messages[0], 105, told) // of the half message: it comes back

	f, messages = g.asksClient(remoting.CodeConsumeDirectly, []string{
		"consumerGroup", "billing", "clientId", "one", "msgId", "7F01", "brokerName", "broker-t",
	}, message())
	assert.Equal(t, "broker-a", textsOf(&f)["brokerName"])
	g.isTold("a message to consume", messages[0], 5, told)

	for _, code := range []int{remoting.CodeNotifyMembers, remoting.CodeRunningInfo} { // of groups and clients only
		fields := []string{"consumerGroup", "billing", "clientId", "one"}
		f, _ = g.asksClient(code, fields, nil)
		assert.Equal(t, map[string]string{"consumerGroup": "billing", "clientId": "one"}, textsOf(&f))
	}

	const resetOffsets, statusOfClient = 220, 221 // both name queues of the target
	there := g.broker()
	for _, code := range []int{resetOffsets, statusOfClient} {
		_, err := there.Write(wire.AppendRequest(nil, code, 99, 0, nil, nil))
		require.NoError(t, err)
		refusal := g.target.next(t)
		assert.Equal(t, remoting.NotSupported, refusal.code, "code %d", code)
		assert.EqualValues(t, 99, refusal.opaque)
	}
}

// Positions and ends of queues are those that clients know.
func TestPositionsOfTheTargetAreThoseThatClientsKnow(t *testing.T) {
	for code, want := range map[int]string{remoting.CodeQueryOffset: "7", remoting.CodeMaxOffset: "7", remoting.CodeMinOffset: "7"} {
		g := newNamed(t)
		v := g.queue(routing.Target)
		v.Queue.SetHome(v.Queue.At(), 100)
		v.Set(routing.ViewState{Side: v.Reads(), Shift: [2]int64{routing.Target: 100}})
		g.target.answer(code, wire.Reply{Fields: []string{"offset", "107"}})
		g.request(code, 0, unsignedBy, requests()[remoting.CodeQueryOffset].fields, "")
		_, _, fields := g.whole()
		assert.Equal(t, want, fields["offset"], "code %d", code)
		asked := g.target.next(t).fields
		assert.Equal(t, "1", asked["queueId"], "code %d", code)
	}
}

// Queues that are locked on the target have the names that clients know.
func TestLocksOfTheTargetNameWhatClientsKnow(t *testing.T) {
	g := newNamed(t)
	g.queue(routing.Target)
	g.gateway.table.MoveAuthority(routing.Target)
	g.target.answer(remoting.CodeLock, wire.Reply{
		Body: []byte(`{"lockOKMQSet":[{"topic":"orders","brokerName":"broker-t","queueId":1}]}`),
	})
	g.request(remoting.CodeLock, 0, unsignedBy, nil, requests()[remoting.CodeLock].body)
	require.NoError(t, g.client.SetReadDeadline(time.Now().Add(patience)))
	var f wire.Frame
	require.NoError(t, g.in.Next(&f))
	assert.JSONEq(t,
		`{"lockOKMQSet":[{"topic":"orders","brokerName":"broker-a","queueId":0}]}`, string(f.Body))
}

// What a broker says against a lock comes to the client as the broker has said it.
func TestARefusalOfALockIsToldAsItIs(t *testing.T) {
	g := newNamed(t)
	g.queue(routing.Target)
	g.gateway.table.MoveAuthority(routing.Target)
	const says = "no permission for \"billing\"\n  at x"
	g.target.answer(remoting.CodeLock, wire.Reply{Code: remoting.NoPermission, Remark: says})
	g.request(remoting.CodeLock, 0, unsignedBy, nil, requests()[remoting.CodeLock].body)
	require.NoError(t, g.client.SetReadDeadline(time.Now().Add(patience)))
	var f wire.Frame
	require.NoError(t, g.in.Next(&f))
	assert.Equal(t, remoting.NoPermission, f.Code)
	assert.Equal(t, says, f.RemarkText())
}

// Whoever pops asks the source, which refuses what it doesn't know: what a target broker gives to
// acknowledge with names its own queues.
func TestPoppingIsTheSourcesToRefuse(t *testing.T) {
	const (
		pop, ack, changeInvisibleTime, batchAck, queryAssignment = 200050, 200051, 200053, 200151, 400
	)
	for _, code := range []int{pop, ack, changeInvisibleTime, batchAck, queryAssignment} {
		g := newNamed(t)
		g.queue(routing.Target)
		g.source.answer(code, wire.Reply{Code: remoting.NotSupported, Remark: "not supported"})
		fields := append([]string{"extraInfo", "x"}, requests()[remoting.CodeQueryOffset].fields...)
		g.request(code, 0, unsignedBy, fields, `{"consumerGroup":"billing"}`)
		is, _ := g.answer()
		assert.Equal(t, remoting.NotSupported, is, "code %d", code)
		require.Equal(t, code, g.source.next(t).code)
		g.nothing("popping")
	}
}
