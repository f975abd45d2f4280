package main

import (
	"path/filepath"
	"testing"

	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/stretchr/testify/require"

	"rocketshift/demo/ledger"
)

func TestWhileWorkingEverythingIsAdmitted(t *testing.T) {
	i := newIntake(nil, "m")
	q := primitive.MessageQueue{Topic: "t", BrokerName: "a"}
	for _, offset := range []int64{5, 7, 6, 0} {
		require.True(t, i.admit(q, offset), "offset %d", offset)
	}
}

func TestWhenEndingOnlyGapsAreFilled(t *testing.T) {
	i := newIntake(nil, "m")
	q := primitive.MessageQueue{Topic: "t", BrokerName: "a", QueueId: 1}
	untouched := primitive.MessageQueue{Topic: "t", BrokerName: "a", QueueId: 2}
	require.True(t, i.admit(q, 5))
	require.True(t, i.admit(q, 8))
	require.Equal(t, map[primitive.MessageQueue]int64{q: 9}, i.close())
	require.True(t, i.admit(q, 7), "below a message in work: the queue must end in one piece")
	require.False(t, i.admit(q, 9), "nothing new is begun")
	require.False(t, i.admit(untouched, 0), "nothing new is begun on other queues")
}

func TestADeliveryIsNotedAsItCame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "group")
	file, err := ledger.Open(path)
	require.NoError(t, err)
	i := newIntake(file, "m")
	messages, err := encode([]ledger.Sent{{ID: "p-1", Key: "key-1", Topic: "orders"}})
	require.NoError(t, err)
	m := &primitive.MessageExt{MsgId: "7F00", QueueOffset: 42}
	m.Topic, m.Body = "orders", messages[0].Body
	m.Queue = &primitive.MessageQueue{Topic: "orders", BrokerName: "broker-a", QueueId: 3}
	require.NoError(t, i.note(m))
	m.Body = []byte("not ours")
	require.NoError(t, i.note(m))
	got, err := ledger.ReadReceived(path)
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Positive(t, got[0].At)
	require.Equal(t, ledger.Received{
		ID: "p-1", Key: "key-1", At: got[0].At, MsgID: "7F00", Topic: "orders", Broker: "broker-a", Queue: 3,
		Offset: 42, Member: "m",
	}, got[0])
	require.Equal(t, "unreadable", got[1].ID)
}
