package gateway

import (
	"encoding/binary"
	"strconv"
	"time"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// asked is a request of the matrix.
type asked struct {
	name    string
	code    int
	serves  serves
	of      askedOf
	oneWay  bool
	stores  bool   // if it is allowed, its body is stored in the account's topic
	halves  bool   // it ends a half message, whose body is stored so
	commits bool   // a position
	locks   bool   // it locks or unlocks a queue
	makes   bool   // it makes or deletes a topic or group
	names   bool   // it is for a name server
	as      string // it is to be judged as that request is, where the target serves it
}

// askedOf makes a request's fields and body. It signs nothing.
type askedOf func(p *place, on routing.Side) (fields []string, body []byte)

// serves is which side's broker serves a request.
type serves int

const (
	bySource    serves = iota // always
	byHome                    // the home of the queue
	byReads                   // the side of the group
	byAuthority               // the side that answers for members and locks
	byTarget                  // always: the request names a message of the target
)

// frame is the request as the account sends it to a server that knows it by its keys of a side.
func (q asked) frame(p *place, opaque int32, on routing.Side) ([]byte, error) {
	fields, body := q.of(p, on)
	flag := int32(0)
	if q.oneWay {
		flag = wire.FlagOneWay
	}
	var f wire.Frame
	if err := f.Parse(wire.AppendRequest(nil, q.code, opaque, flag, fields, body)); err != nil {
		return nil, err
	}
	p.sign(&f, on)
	return append(f.AppendHead(nil), f.Body...), nil
}

// allAsked are the requests that the gateway looks into, and some that it doesn't.
func allAsked() []asked {
	all := append(sending(), reading()...)
	all = append(all, joining()...)
	all = append(all, byMessage(routing.Source)...)
	all = append(all, byMessage(routing.Target)...)
	return append(all, passing()...)
}

// sending are requests that store a message.
func sending() (all []asked) {
	for _, one := range []asked{
		{name: "send", code: remoting.CodeSend},
		{name: "send v2", code: remoting.CodeSendV2},
		{name: "send batch", code: remoting.CodeSendBatch},
	} {
		one.serves, one.stores = byHome, true
		oneWay := one
		oneWay.name, oneWay.oneWay = one.name+" one-way", true
		all = append(all, one, oneWay)
	}
	// These aren't looked into, and store what they carry in any topic on the source.
	all = append(all,
		asked{name: "reply", code: 324, stores: true}, asked{name: "reply v2", code: 325, stores: true})
	for i := range all {
		all[i].of = sendOf(all[i])
	}
	again := func(p *place, _ routing.Side) ([]string, []byte) {
		return sendShort(rocketmq.RetryTopic(p.group), p.group, false), []byte("again")
	}
	return append(all, asked{name: "send v2 to the retry topic", code: remoting.CodeSendV2, of: again})
}

// sendOf makes sends of all kinds, with a body that names the request.
func sendOf(q asked) askedOf {
	return func(p *place, _ routing.Side) ([]string, []byte) {
		body := p.body(q.name)
		switch q.code {
		case remoting.CodeSendV2, 325:
			return sendShort(p.topic, p.writers(), false), []byte(body)
		case remoting.CodeSendBatch:
			return sendShort(p.topic, p.writers(), true), batchOf(body)
		}
		return []string{
			"producerGroup", p.writers(), "topic", p.topic, "defaultTopic", "TBW102",
			"defaultTopicQueueNums", "4", "queueId", "0", "sysFlag", "0", "bornTimestamp", bornNow(),
			"flag", "0", "properties", "", "reconsumeTimes", "0", "unitMode", "false", "batch", "false",
		}, []byte(body)
	}
}

// sendShort are the fields of SEND_MESSAGE_V2 and SEND_BATCH_MESSAGE.
func sendShort(topic, group string, batch bool) []string {
	return []string{
		"a", group, "b", topic, "c", "TBW102", "d", "4", "e", "0", "f", "0", "g", bornNow(), "h", "0",
		"i", "", "j", "0", "k", "false", "m", strconv.FormatBool(batch),
	}
}

// batchOf is a batch of one message (MessageDecoder.encodeMessages).
func batchOf(body string) []byte {
	const fixed = 22
	b := binary.BigEndian.AppendUint32(nil, uint32(fixed+len(body)))
	b = append(b, make([]byte, 12)...) // magic, checksum, flag
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(body))), body...)
	return append(b, 0, 0)
}

func bornNow() string { return strconv.FormatInt(time.Now().UnixMilli(), 10) }

// reading are requests about queues.
func reading() []asked {
	pull := func(p *place, _ routing.Side) ([]string, []byte) { return p.pull(-1), nil }
	pullAndCommit := func(p *place, _ routing.Side) ([]string, []byte) { return p.pull(p.position), nil }
	commit := func(p *place, _ routing.Side) ([]string, []byte) {
		return append(p.queue(), "commitOffset", strconv.FormatInt(p.position, 10)), nil
	}
	bound := fieldsOf(func(p *place) []string {
		return []string{"topic", p.topic, "queueId", "0", "timestamp", "0"}
	})
	return []asked{
		{name: "pull", code: remoting.CodePull, serves: byReads, of: pull},
		{
			name: "pull with a commit", code: remoting.CodePull, serves: byReads, commits: true,
			of: pullAndCommit,
		},
		// For these brokers of 5.3.3 ask nobody for rights, and those of 4.9.7 don't have them.
		{name: "lite pull", code: remoting.CodeLitePull, serves: byReads, as: "pull", of: pull},
		{
			name: "lite pull with a commit", code: remoting.CodeLitePull, serves: byReads, commits: true,
			as: "pull with a commit", of: pullAndCommit,
		},
		{name: "query position", code: remoting.CodeQueryOffset, serves: byReads, of: fieldsOf((*place).queue)},
		{name: "commit", code: remoting.CodeUpdateOffset, serves: byReads, commits: true, of: commit},
		{
			name: "commit one-way", code: remoting.CodeUpdateOffset, serves: byReads, commits: true,
			oneWay: true, of: commit,
		},
		{name: "max offset", code: remoting.CodeMaxOffset, serves: byHome, of: bound},
		{name: "min offset", code: remoting.CodeMinOffset, serves: byHome, of: bound},
		{name: "search offset", code: 29, of: bound},
		{name: "earliest time", code: 32, of: bound},
	}
}

// joining are requests about members of groups.
func joining() []asked {
	beat := func(reads bool) askedOf {
		return func(p *place, _ routing.Side) ([]string, []byte) { return []string{}, p.beat(reads) }
	}
	lock := func(p *place, on routing.Side) ([]string, []byte) {
		return []string{}, p.lockBody(p.client(), on, 0)
	}
	unlock := func(p *place, on routing.Side) ([]string, []byte) {
		return []string{}, p.lockBody(owner, on, 1)
	}
	members := fieldsOf(func(p *place) []string { return []string{"consumerGroup", p.group} })
	leave := fieldsOf(func(p *place) []string {
		return []string{
			"clientID", p.client(), "consumerGroup", p.group, "producerGroup", p.writers(),
		}
	})
	return []asked{
		{name: "heartbeat of a reader", code: remoting.CodeHeartbeat, of: beat(true)},
		{name: "heartbeat of a writer", code: remoting.CodeHeartbeat, of: beat(false)},
		{name: "members", code: remoting.CodeMembers, serves: byAuthority, of: members},
		{name: "lock", code: remoting.CodeLock, serves: byAuthority, locks: true, of: lock},
		{name: "unlock", code: remoting.CodeUnlock, serves: byAuthority, locks: true, of: unlock},
		{
			name: "unlock one-way", code: remoting.CodeUnlock, serves: byAuthority, locks: true, oneWay: true,
			of: unlock,
		},
		{name: "unregister", code: remoting.CodeUnregister, of: leave},
	}
}

// byMessage are requests about one message, of a side.
func byMessage(of routing.Side) []asked {
	serves := map[routing.Side]serves{routing.Source: bySource, routing.Target: byTarget}[of]
	ends := func(name string, oneWay bool) asked {
		return asked{
			name: name, code: remoting.CodeEndTransaction, serves: serves, halves: true, oneWay: oneWay,
			of: fieldsOf(func(p *place) []string { return p.end(p.half[name], of) }),
		}
	}
	view := fieldsOf(func(p *place) []string { return []string{"offset", p.at(p.first[of], of)} })
	back := fieldsOf(func(p *place) []string {
		return []string{ // with a negative level it is a dead letter at once
			"offset", p.at(p.first[of], of), "group", p.group, "delayLevel", "-1", "originMsgId", "",
			"originTopic", p.topic, "unitMode", "false", "maxReconsumeTimes", "16",
		}
	})
	which := " of the " + of.String()
	return []asked{
		{name: "view" + which, code: remoting.CodeViewMessage, serves: serves, of: view},
		{name: "send back" + which, code: remoting.CodeSendBack, serves: serves, of: back},
		ends("end"+which, false),
		ends("end one-way"+which, true),
	}
}

// passing are requests that the gateway doesn't look into.
func passing() []asked {
	none := fieldsOf(func(*place) []string { return []string{} })
	ofTopic := fieldsOf(func(p *place) []string { return []string{"topic", p.topic} })
	ofGroup := fieldsOf(func(p *place) []string {
		return []string{"consumerGroup", p.group, "clientId", "nobody", "jstackEnable", "false"}
	})
	query := fieldsOf(func(p *place) []string {
		return []string{
			"topic", p.topic, "key", "none", "maxNum", "1", "beginTimestamp", "0",
			"endTimestamp", bornNow(),
		}
	})
	reset := fieldsOf(func(p *place) []string {
		return []string{"topic", p.topic, "group", p.group, "timestamp", "0", "isForce", "true"}
	})
	user := fieldsOf(func(p *place) []string { return []string{"username", p.keys(routing.Target).AccessKey} })
	pop := fieldsOf(func(p *place) []string {
		return append(p.queue(), "maxMsgNums", "1", "invisibleTime", "10000", "pollTime", "0",
			"bornTime", bornNow(), "initMode", "0")
	})
	clone := fieldsOf(func(p *place) []string { // positions that the group doesn't get so
		return []string{"srcGroup", p.group + deleted, "destGroup", p.group, "topic", p.topic}
	})
	ack := fieldsOf(func(p *place) []string {
		return append(p.queue(), "extraInfo", "0 0 10000 0 0 "+p.brokers[routing.Source]+" 0 0", "offset", "0",
			"invisibleTime", "10000")
	})
	return append([]asked{
		{name: "clone positions", code: 314, of: clone},
		{name: "ack", code: 200051, of: ack},
		{name: "change invisible time", code: 200053, of: ack},
		{name: "peek", code: 200052, of: pop},
		{name: "route", code: remoting.CodeRoute, names: true, of: ofTopic},
		{name: "query message", code: 12, of: query},
		{name: "topic stats", code: 202, of: ofTopic},
		{name: "consumer connections", code: 203, of: ofGroup},
		{name: "consume stats", code: 208, of: ofGroup},
		{name: "running info", code: remoting.CodeRunningInfo, of: ofGroup},
		{name: "reset position", code: 222, of: reset},
		{name: "all positions", code: 43, of: none},
		{name: "all topics", code: 21, of: none},
		{name: "runtime", code: 28, of: none},
		{name: "ACL 1.0 settings", code: 54, of: none},
		{name: "user of ACL 2.0", code: 3004, of: user},
		{name: "pop", code: 200050, of: pop},
	}, administering()...)
}

// administering are requests that make, delete and set.
func administering() []asked {
	makeTopic := fieldsOf(func(p *place) []string {
		return []string{
			"topic", p.topic + made, "defaultTopic", "TBW102", "readQueueNums", "1",
			"writeQueueNums", "1", "perm", "6", "topicFilterType", "SINGLE_TAG", "topicSysFlag", "0",
			"order", "false",
		}
	})
	deleteTopic := fieldsOf(func(p *place) []string { return []string{"topic", p.topic + deleted} })
	makeGroup := func(p *place, _ routing.Side) ([]string, []byte) {
		return []string{}, jsonOf(map[string]any{"groupName": p.group + made, "consumeEnable": true})
	}
	deleteGroup := fieldsOf(func(p *place) []string {
		return []string{
			"groupName", p.group + deleted, "removeOffset", "true", "cleanOffset", "true",
		}
	})
	set := func(*place, routing.Side) ([]string, []byte) { return []string{}, []byte("traceOn=true\n") }
	return []asked{
		{name: "make topic", code: 17, makes: true, of: makeTopic},
		{name: "delete topic", code: 215, makes: true, of: deleteTopic},
		{name: "make group", code: 200, makes: true, of: makeGroup},
		{name: "delete group", code: 207, makes: true, of: deleteGroup},
		{name: "broker settings", code: 25, of: set},
	}
}

// fieldsOf makes requests without a body.
func fieldsOf(of func(p *place) []string) askedOf {
	return func(p *place, _ routing.Side) ([]string, []byte) { return of(p), nil }
}
