package gateway

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// place is what an account asks for: its own topic and group. Those of straight places are asked
// for at one side's broker and not replicated, the others through the gateway.
type place struct {
	account
	straight     bool
	topic, group string
	brokers      [2]string           // their names
	first        [2]remoting.Message // the first message of queue 0
	half         map[string]half     // half messages by the requests that end them
	position     int64               // that is committed next
	stored       map[string]bool     // bodies that were stored
	surplus      int64               // messages that shouldn't have been stored
	stage        string              // of the migration, for the bodies of messages
}

// half is a half message.
type half struct {
	id            string
	offset, state int64 // in the commit log, and in the queue of half messages
}

const (
	// prefilled is how many messages a topic has before anything is asked: more than any position
	// that is committed.
	prefilled = 170
	// forbidden is the first of the positions that only refused requests commit, far from those of
	// allowed ones.
	forbidden = 150
	// shifts is by how much positions may look different on the two sides.
	shifts = 10

	// owner holds an account's queue 1 locked before a request to unlock it.
	owner = "owner"
	// made and deleted end the names of what is made and deleted by request.
	made, deleted = "-made", "-deleted"
)

// newPlace makes an account's topic and group on both sides.
func (m *matrix) newPlace(a account, straight bool) *place {
	m.Helper()
	p := &place{
		account: a, straight: straight, brokers: [2]string{m.at[routing.Source].Name, m.at[routing.Target].Name},
		half: map[string]half{}, position: 1, stored: map[string]bool{},
	}
	name, lanes := a.name, m.lanes
	if straight {
		name += "-straight"
	}
	p.topic, p.group = m.topic(name, 2), m.group(name+"-readers")
	if straight {
		m.lanes = lanes
	}
	for _, on := range []routing.Side{routing.Source, routing.Target} {
		client, addr := m.cluster(on).Client(), m.addr(on)
		m.make(m.cluster(on), m.at[on], p.topic+deleted, 1)
		group := rocketmq.Group{Name: p.group + deleted, ConsumeEnable: true}
		require.NoError(m, client.PutGroup(m.ctx, addr, group))
		require.NoError(m, client.UpdateOffset(m.ctx, addr, p.group, p.topic, 0, p.position))
		if on == routing.Target && !straight {
			continue // the lanes fill it
		}
		batch := rocketmq.BatchRequest{Group: p.writers(), Topic: p.topic, BornTimestamp: 1}
		for i := range prefilled {
			body := fmt.Append(nil, prefillsBody, i)
			batch.Messages = append(batch.Messages, rocketmq.BatchMessage{Body: body})
		}
		_, err := client.SendBatch(m.ctx, addr, batch)
		require.NoError(m, err)
	}
	return p
}

const prefillsBody = "prefilled "

// findFirst finds the first message of a topic on a side, once it is there.
func (m *matrix) findFirst(p *place, on routing.Side) {
	m.Helper()
	if on == routing.Target && m.dead {
		return
	}
	pull := rocketmq.PullRequest{Group: "eyes", Topic: p.topic, Max: 1}
	m.await("a message of "+p.topic+" on the "+on.String(), func() string {
		got, err := m.cluster(on).Client().Pull(m.ctx, m.addr(on), pull)
		if err != nil || len(got.Messages) == 0 {
			return fmt.Sprint("it; ", err)
		}
		p.first[on] = got.Messages[0]
		return ""
	})
}

// prepare stores a half message on a side, for a request that ends it.
func (m *matrix) prepare(p *place, q asked, on routing.Side) {
	m.Helper()
	body := p.body(q.name)
	send := &remoting.Command{Code: remoting.CodeSendV2, Body: []byte(body), Fields: map[string]string{}}
	fields := sendShort(p.topic, p.writers(), false)
	for i := 0; i < len(fields); i += 2 {
		send.Fields[fields[i]] = fields[i+1]
	}
	send.Fields["f"] = "4" // MessageSysFlag.TRANSACTION_PREPARED_TYPE
	properties := [][2]string{{"TRAN_MSG", "true"}, {"PGROUP", p.writers()}, {"UNIQ_KEY", body}}
	for _, one := range properties {
		send.Fields["i"] += one[0] + "\x01" + one[1] + "\x02"
	}
	got := m.call(on, send)
	id := got.Fields["msgId"]
	require.Greater(m, len(id), 16, id)
	offset, err := strconv.ParseInt(id[len(id)-16:], 16, 64)
	require.NoError(m, err)
	state, err := strconv.ParseInt(got.Fields["queueOffset"], 10, 64)
	require.NoError(m, err)
	p.half[q.name] = half{body, offset, state}
}

// body is what a request stores.
func (p *place) body(request string) string { return p.name + ", " + p.stage + ", " + request }

// writers is the account's producer group, for which neither side asks rights.
func (p *place) writers() string { return p.group + "-writers" }

// client is the id of the account's client.
func (p *place) client() string { return "member-" + p.topic }

// queue are the fields that name the group's queue 0.
func (p *place) queue() []string {
	return []string{"consumerGroup", p.group, "topic", p.topic, "queueId", "0"}
}

// pull are the fields of a pull, which commits the position unless that is negative.
func (p *place) pull(commit int64) []string {
	flags := 4 // it carries its subscription
	if commit >= 0 {
		flags |= sysFlagCommit
	}
	return append(p.queue(), "queueOffset", "0", "maxMsgNums", "1", "sysFlag", strconv.Itoa(flags),
		"commitOffset", strconv.FormatInt(max(0, commit), 10), "suspendTimeoutMillis", "0",
		"subscription", "*", "subVersion", "0", "expressionType", "TAG")
}

// at is where a message lies in the commit log, as clients have it.
func (p *place) at(m remoting.Message, on routing.Side) string { return p.tagged(m.PhysicalOffset, on) }

func (p *place) tagged(offset int64, on routing.Side) string {
	if on == routing.Target && !p.straight {
		offset |= replicas.TagOf(0) // of the only broker there
	}
	return strconv.FormatInt(offset, 10)
}

// end are the fields that commit a half message.
func (p *place) end(h half, on routing.Side) []string {
	return []string{
		"producerGroup", p.writers(), "tranStateTableOffset", strconv.FormatInt(h.state, 10),
		"commitLogOffset", p.tagged(h.offset, on), "commitOrRollback", "8",
		"fromTransactionCheck", "false", "msgId", h.id, "transactionId", h.id,
	}
}

// beat is a heartbeat of a member of the group, or of a producer.
func (p *place) beat(reads bool) []byte {
	type object = map[string]any
	readers, writers := []object{}, []object{}
	if reads {
		readers = append(readers, object{
			"groupName": p.group, "consumeType": "CONSUME_PASSIVELY", "messageModel": "CLUSTERING",
			"consumeFromWhere": "CONSUME_FROM_FIRST_OFFSET",
			"subscriptionDataSet": []object{
				{"topic": p.topic, "subString": "*", "subVersion": 1, "expressionType": "TAG"},
			},
		})
	} else {
		writers = append(writers, object{"groupName": p.writers()})
	}
	return jsonOf(object{
		"clientID": p.client(), "consumerDataSet": readers, "producerDataSet": writers,
	})
}

// LockBody asks a broker of a side, or the gateway, for a queue of the topic.
func (p *place) lockBody(client string, on routing.Side, queue int) []byte {
	broker := p.brokers[routing.Source]
	if p.straight {
		broker = p.brokers[on]
	}
	return jsonOf(
		bodies.LockBody{
			Group:  p.group,
			Client: client,
			Queues: []bodies.JsonQueue{{Topic: p.topic, Broker: broker, ID: queue}},
		},
	)
}

// jsonOf is a value of texts, numbers and lists, which can always be written.
func jsonOf(v any) []byte {
	text, _ := json.Marshal(v)
	return text
}
