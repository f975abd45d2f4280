package driver

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/demo/ledger"
	"rocketshift/demo/verdict"
)

// write appends records to an application's ledger.
func write(t *testing.T, f *fleet, a *application, sent []ledger.Sent, received []ledger.Received) {
	t.Helper()
	file, err := ledger.Open(f.ledger(a))
	require.NoError(t, err)
	defer file.Close()
	require.NoError(t, file.Sent(sent...))
	for _, r := range received {
		require.NoError(t, file.Received(r))
	}
}

func TestBooksKnowWhatGroupsStillHaveToReceive(t *testing.T) {
	f, _ := testFleet(t)
	b := newLedgerTail(f)
	missing := func() string {
		what, err := b.missing()
		require.NoError(t, err)
		return what
	}
	require.Empty(t, missing(), "nothing was sent")

	write(t, f, f.producers["orders"][0], []ledger.Sent{
		{Outcome: ledger.Try, ID: "orders-1-1", Key: "k", Topic: "orders", At: 1},
		{Outcome: ledger.Ack, ID: "orders-1-1", Key: "k", Topic: "orders", At: 2},
		{Outcome: ledger.Maybe, ID: "orders-1-2", Key: "k", Topic: "orders", At: 3},
	}, nil)
	require.Equal(t, "group fulfilment still has 1 messages of topic orders to receive", missing())
	acked, err := b.acknowledged()
	require.NoError(t, err)
	require.Equal(t, 1, acked)

	write(t, f, f.consumers["fulfilment"], nil,
		[]ledger.Received{{ID: "orders-1-1", Key: "k", At: 4, MsgID: "x", Topic: "orders", Broker: "b"}})
	require.Empty(t, missing())

	in, err := b.verdictInput()
	require.NoError(t, err)
	v, _, err := verdict.Judge(in)
	require.NoError(t, err)
	require.True(t, v.Clean())
	require.EqualValues(t, 1, v.Messages)
}

func TestAMessageForTwoGroupsIsMissingUntilBothHaveIt(t *testing.T) {
	f, _ := testFleet(t)
	b := newLedgerTail(f)
	write(t, f, f.producers["audit"][1],
		[]ledger.Sent{{Outcome: ledger.Ack, ID: "audit-2-1", Key: "k", Topic: "audit", At: 1}}, nil)
	delivery := []ledger.Received{
		{ID: "audit-2-1", Key: "k", At: 4, MsgID: "x", Topic: "audit", Broker: "b"},
	}
	write(t, f, f.consumers["archive"], nil, delivery)
	what, err := b.missing()
	require.NoError(t, err)
	require.Contains(t, what, "group reporting still has 1 messages of topic audit")
	write(t, f, f.consumers["reporting"], nil, delivery)
	what, err = b.missing()
	require.NoError(t, err)
	require.Empty(t, what)
}
