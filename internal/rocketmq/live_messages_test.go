package rocketmq_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// content is what applications may have put into a message, odd as it may be.
type content struct {
	name       string
	flag       int32
	body       []byte
	properties string
}

func oddContents() []content {
	text := []byte("text")
	properties := func(list ...remoting.Property) string { return string(remoting.EncodeProperties(list)) }
	return []content{
		{
			name: "plain",
			body: text,
			properties: properties(remoting.Property{Name: "KEYS", Value: "k1 k2"},
				remoting.Property{Name: "TAGS", Value: "t"}),
		},
		{name: "no properties", body: text},
		{name: "empty body", properties: properties(remoting.Property{Name: "KEYS", Value: "empty"})},
		{name: "body of 1 MiB", body: bytes.Repeat([]byte{0, 1, 2, 0xFF}, 1<<18)},
		{name: "body of separators", body: []byte{1, 2, 1, 2, 0}},
		{
			name: "repeated name",
			body: text,
			properties: properties(remoting.Property{Name: "a", Value: "1"},
				remoting.Property{Name: "b", Value: "2"}, remoting.Property{Name: "a", Value: "3"}),
		},
		{
			name:       "empty value",
			body:       text,
			properties: properties(remoting.Property{Name: "a", Value: ""}, remoting.Property{Name: "b", Value: "2"}),
		},
		{
			name: "unicode",
			body: []byte("Übergröße 😀 漢字"),
			properties: properties(remoting.Property{Name: "größe", Value: "漢字 😀"},
				remoting.Property{Name: "KEYS", Value: "ключ"}),
		},
		{
			name:       "what would break a JSON header",
			body:       text,
			properties: properties(remoting.Property{Name: `"`, Value: "{\"a\":\"\\\n\t\r</b>&\u2028\"}"}),
		},
		{name: "last separator left out", body: text, properties: "a\x011\x02b\x012"},
		{name: "lowest flag", flag: -1 << 31, body: text},
		{name: "highest flag", flag: 1<<31 - 1, body: text},
	}
}

// addedByBrokers are the properties that a broker writes itself.
var addedByBrokers = []string{remoting.PropCluster, remoting.PropMsgRegion, remoting.PropTraceOn}

func TestLiveBatchKeepsMessagesByteForByte(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(2)
		contents := append(oddContents(), content{
			name: "what brokers act on in single messages", body: []byte("text"),
			properties: "DELAY\x013\x02TRAN_MSG\x01true\x02CLUSTER\x01other\x02TIMER_DELAY_SEC\x0160\x02WAIT\x01false\x02",
		})
		request := rocketmq.BatchRequest{
			Group: "writer", Topic: l.topic, Queue: 1, SysFlag: remoting.FlagMultiTags,
			BornTimestamp: 1_600_000_000_123, ReconsumeTimes: 4,
		}
		for _, c := range contents {
			request.Messages = append(request.Messages,
				rocketmq.BatchMessage{Flag: c.flag, Body: c.body, Properties: []byte(c.properties)})
		}
		sent, err := l.sendBatch(l.addr, request)
		require.NoError(l, err)
		require.Equal(l, rocketmq.SendResult{Queue: 1}, sent)
		for i, got := range l.read(l.topic, 1, 0, len(contents)) {
			want := contents[i]
			assert.True(l, bytes.Equal(want.body, got.Body), "%s: body of %d bytes came back with %d: %.40q",
				want.name, len(want.body), len(got.Body), got.Body)
			assert.Equal(l, want.flag, got.Flag, want.name)
			rest, kept := strings.CutPrefix(string(got.Properties), want.properties)
			assert.True(l, kept, "%s: properties %q came back as %q", want.name, want.properties, got.Properties)
			for _, p := range remoting.ParseProperties([]byte(strings.TrimPrefix(rest, "\x02"))) {
				assert.Contains(l, addedByBrokers, p.Name, want.name)
			}
			assert.Equal(l, [3]any{int64(i), 1, l.topic}, [3]any{got.QueueOffset, got.Queue, got.Topic}, want.name)
			assert.Equal(l, [3]any{request.SysFlag, request.BornTimestamp, request.ReconsumeTimes},
				[3]any{got.SysFlag, got.BornTimestamp, got.ReconsumeTimes}, want.name)
			assert.Equal(l, l.addr, got.StoreHost.String(), want.name)
			assert.True(l, got.BornHost.Addr().IsLoopback(), "%s: born on %s, wanted our own address",
				want.name, got.BornHost)
		}
	})
}

func TestLiveSingleSendKeepsWhatAnApplicationSees(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(1)
		offset := int64(0)
		for _, c := range oddContents() {
			sent, err := l.sendMessage(l.addr, rocketmq.SendRequest{
				Group: "writer", Topic: l.topic, Flag: c.flag, SysFlag: remoting.FlagMultiTags,
				BornTimestamp: 1_600_000_000_123, ReconsumeTimes: 4, Body: c.body,
				Properties: []byte(c.properties),
			})
			if len(c.body) == 0 && l.is5() {
				l.wantCode(c.name, remoting.SystemError, err) // 5.x refuses it, by a failure of its own
				continue
			}
			require.NoError(l, err, c.name)
			require.Equal(l, rocketmq.SendResult{Offset: offset}, sent, c.name)
			got := l.read(l.topic, 0, offset, 1)[0]
			offset++
			assert.True(l, bytes.Equal(c.body, got.Body), "%s: body of %d bytes came back with %d: %.40q",
				c.name, len(c.body), len(got.Body), got.Body)
			assert.Equal(l, c.flag, got.Flag, c.name)
			assert.Equal(l, [3]any{int32(remoting.FlagMultiTags), int64(1_600_000_000_123), int32(4)},
				[3]any{got.SysFlag, got.BornTimestamp, got.ReconsumeTimes}, c.name)
			seen := remoting.PropertyMap(got.Properties)
			for _, name := range append(addedByBrokers, remoting.PropUniqKey) {
				delete(seen, name)
			}
			assert.Equal(l, remoting.PropertyMap([]byte(c.properties)), seen, c.name)
		}
	})
}

func TestLiveSystemFlagsOfContentAreStored(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(2)
		var flags []int32
		for kind := int32(0); kind <= remoting.FlagCompressionType; kind += 0x100 {
			for _, bits := range []int32{0, remoting.FlagCompressed, remoting.FlagMultiTags, remoting.FlagCompressed | remoting.FlagMultiTags} {
				flags = append(flags, kind|bits)
			}
		}
		body := []byte("not really compressed") // brokers don't look
		for _, flag := range flags {
			name := fmt.Sprintf("flag %#x", flag)
			_, err := l.sendBatch(l.addr, rocketmq.BatchRequest{
				Group: "writer", Topic: l.topic, SysFlag: flag, Messages: []rocketmq.BatchMessage{{Body: body}},
			})
			require.NoError(l, err, name)
			_, err = l.sendMessage(l.addr,
				rocketmq.SendRequest{Group: "writer", Topic: l.topic, Queue: 1, SysFlag: flag, Body: body})
			require.NoError(l, err, name)
		}
		for queue := range 2 {
			for i, got := range l.read(l.topic, queue, 0, len(flags)) {
				assert.Equal(l, flags[i], got.SysFlag, "queue %d offset %d", queue, i)
				assert.Equal(l, body, got.Body, "flag %#x", flags[i])
			}
		}
		_, err := l.sendBatch(l.addr, rocketmq.BatchRequest{
			Group:    "writer",
			Topic:    l.topic,
			SysFlag:  4,
			Messages: []rocketmq.BatchMessage{{Body: body}},
		})
		l.wantCode("batch with a transaction flag", remoting.MessageIllegal, err) // a batch has no transaction
	})
}

func TestLiveLargestBatchAndLongestPropertiesAreReadableAndHarmNobody(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(1)
		longest := rocketmq.BatchMessage{
			Body:       []byte("longest properties"),
			Properties: []byte("a\x01" + strings.Repeat("x", remoting.MaxProperties-3) + "\x02"),
		}
		var batch []rocketmq.BatchMessage
		left := 4 << 20 // most bytes of a batch body that brokers take with their default maxMessageSize
		for range 3 {
			m := rocketmq.BatchMessage{Body: bytes.Repeat([]byte{7}, 1<<20)}
			batch, left = append(batch, m), left-m.Size()
		}
		rest := rocketmq.BatchMessage{}
		rest.Body = bytes.Repeat([]byte{8}, left-rest.Size())
		batch = append(batch, rest)
		after := rocketmq.BatchMessage{Body: []byte("the neighbour")}

		l.batch(0, longest)
		l.batch(0, batch...)
		l.batch(0, after)
		want := append([]rocketmq.BatchMessage{longest}, append(batch, after)...)
		for i, got := range l.read(l.topic, 0, 0, len(want)) {
			assert.True(l, bytes.Equal(want[i].Body, got.Body),
				"message %d: body of %d bytes came back with %d", i, len(want[i].Body), len(got.Body))
			assert.True(l, bytes.HasPrefix(got.Properties, want[i].Properties),
				"message %d: %d bytes of properties came back as %d others", i, len(want[i].Properties),
				len(got.Properties))
		}
	})
}

func TestLiveBrokerChoosesTheQueueThatASendLeavesOpen(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(2)
		sent, err := l.sendMessage(l.addr,
			rocketmq.SendRequest{Group: "writer", Topic: l.topic, Queue: -1, Body: []byte("anywhere")})
		require.NoError(l, err)
		require.Contains(l, []int{0, 1}, sent.Queue)
		assert.Equal(l, "anywhere", string(l.read(l.topic, sent.Queue, sent.Offset, 1)[0].Body))
	})
}

func TestLongMessageTriedTooOftenEndsInTheDeadLetterTopic(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeGroup()
		retry, dead := rocketmq.RetryTopic(l.group), rocketmq.DLQTopic(l.group)
		l.makeTopicNamed(retry, 1)
		l.topicsCreated = append(l.topicsCreated, dead)
		for _, row := range []struct {
			body, topic string
			allowed     int32
		}{{"may be tried again", retry, 20}, {"tried too often", dead, 3}} {
			sent, err := l.sendMessage(l.addr, rocketmq.SendRequest{
				Group: l.group, Topic: retry, BornTimestamp: time.Now().UnixMilli(), ReconsumeTimes: 9,
				MaxReconsumeTimes: row.allowed, Body: []byte(row.body),
			})
			require.NoError(l, err, row.body)
			got := l.read(row.topic, sent.Queue, sent.Offset, 1)[0]
			assert.Equal(l, row.body, string(got.Body), "the first message of %s", row.topic)
		}
	})
}

func TestLiveRefusedSendsStoreNothing(t *testing.T) {
	onEach(t, func(l *live) {
		l.makeTopic(2)
		for _, row := range []struct {
			name, topic string
			queue, code int
		}{
			{"queue that isn't there", l.topic, 77, byVersion(l, remoting.SystemError, remoting.InvalidParameter)},
			{"no topic's name", l.topic + " !", 0, byVersion(l, remoting.SystemError, remoting.InvalidParameter)},
		} {
			_, err := l.sendBatch(l.addr, rocketmq.BatchRequest{
				Group:    "writer",
				Topic:    row.topic,
				Queue:    row.queue,
				Messages: []rocketmq.BatchMessage{{Body: []byte("x")}},
			})
			l.wantCode("batch: "+row.name, row.code, err)
			_, err = l.sendMessage(l.addr,
				rocketmq.SendRequest{Group: "writer", Topic: row.topic, Queue: row.queue, Body: []byte("x")})
			l.wantCode("single: "+row.name, row.code, err)
			highest, err := l.client.MaxOffset(l.ctx, l.addr, row.topic, row.queue)
			require.NoError(l, err, row.name)
			assert.Zero(l, highest, "%s: messages stored", row.name)
		}
	})
}

// A topic's permission keeps away writers that follow its route; brokers themselves don't look at
// it.
func TestLiveTopicThatMayOnlyBeReadStillTakesSends(t *testing.T) {
	onEach(t, func(l *live) {
		l.topicsCreated = append(l.topicsCreated, l.topic)
		require.NoError(
			l,
			l.client.CreateTopic(l.ctx, l.addr,
				rocketmq.TopicConfig{Name: l.topic, ReadQueues: 1, WriteQueues: 1, Perm: rocketmq.PermRead}),
		)
		l.fill(0, 1)
	})
}
