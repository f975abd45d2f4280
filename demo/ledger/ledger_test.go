package ledger

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRecordsAreReadAsWritten(t *testing.T) {
	sent := filepath.Join(t.TempDir(), "producers", "orders-1")
	f, err := Open(sent)
	require.NoError(t, err)
	want := []Sent{
		{Outcome: Try, ID: "orders-1-1", Key: "customer 7", Topic: "orders", At: 17},
		{Outcome: Ack, ID: "orders-1-1", Key: "customer 7", Topic: "orders", At: 18},
	}
	require.NoError(t, f.Sent(want...))
	require.NoError(t, f.Close())
	got, err := ReadSent(sent)
	require.NoError(t, err)
	require.Equal(t, want, got)

	received := filepath.Join(t.TempDir(), "billing")
	f, err = Open(received)
	require.NoError(t, err)
	r := Received{
		ID:     "orders-1-1",
		Key:    "k",
		At:     19,
		MsgID:  "7F00",
		Topic:  "orders",
		Broker: "broker-a",
		Queue:  3,
		Offset: 12,
		Member: "billing-2",
	}
	require.NoError(t, f.Received(r))
	require.NoError(t, f.Close())
	all, err := ReadReceived(received)
	require.NoError(t, err)
	require.Equal(t, []Received{r}, all)
}

func TestALedgerThatIsNotThereIsEmpty(t *testing.T) {
	got, err := ReadSent(filepath.Join(t.TempDir(), "nobody"))
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestTailReturnsOnlyCompletedNewRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p")
	require.NoError(t, os.WriteFile(path, []byte("try\tp-1\tk\tt\t1\nack\tp-1\tk\tt\t2\ntry\tp-2\tk"), 0o644))
	tail := NewTail(path, ParseSent)
	got, err := tail.Next()
	require.NoError(t, err)
	require.Len(t, got, 2)

	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("\tt\t3\n")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	got, err = tail.Next()
	require.NoError(t, err)
	require.Equal(t, []Sent{{Outcome: Try, ID: "p-2", Key: "k", Topic: "t", At: 3}}, got)

	got, err = tail.Next()
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestAHalfLineOfAKilledApplicationIsDropped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p")
	require.NoError(t, os.WriteFile(path, []byte("try\tp-1\tk\tt\t1\ntry\tp-2\tk"), 0o644))
	f, err := Open(path)
	require.NoError(t, err)
	require.NoError(t, f.Sent(Sent{Outcome: Try, ID: "p-9", Key: "k", Topic: "t", At: 3}))
	require.NoError(t, f.Close())
	got, err := ReadSent(path)
	require.NoError(t, err)
	require.Equal(t, []string{"p-1", "p-9"}, []string{got[0].ID, got[1].ID})
}

func TestDamagedLinesAreRefused(t *testing.T) {
	for _, line := range []string{"", "try\tp-1", "try\tp-1\tk\tt\tsoon"} {
		_, err := ParseSent(line)
		require.Error(t, err, "line %q", line)
	}
	for _, line := range []string{"", "p-1\tk\t1\tid\tt\tb\tthree\t1\tm", "p-1\tk\t1\tid\tt\tb\t3\t\tm", "p-1\tk\t1\tid\tt\tb\t3\t1"} {
		_, err := ParseReceived(line)
		require.Error(t, err, "line %q", line)
	}
}

func TestTheLastRecordOfAMessageDecides(t *testing.T) {
	got := Settled([]Sent{
		{
			Outcome: Try,
			ID:      "p-1",
		}, {Outcome: Try, ID: "p-2"}, {Outcome: Ack, ID: "p-2"}, {Outcome: Maybe, ID: "p-1"}, {Outcome: Try, ID: "p-3"},
	})
	require.Equal(t, []Sent{{Outcome: Maybe, ID: "p-1"}, {Outcome: Ack, ID: "p-2"}, {Outcome: Try, ID: "p-3"}}, got)
}

func TestSequenceContinuesBehindEveryNumberThatWasTried(t *testing.T) {
	next, err := NextSeq(nil, "p")
	require.NoError(t, err)
	require.EqualValues(t, 1, next)
	next, err = NextSeq([]Sent{{Outcome: Ack, ID: "p-4"}, {Outcome: Try, ID: "p-12"}, {Outcome: Ack, ID: "p-9"}}, "p")
	require.NoError(t, err)
	require.EqualValues(t, 13, next)
	_, err = NextSeq([]Sent{{ID: "p-x"}}, "p")
	require.ErrorContains(t, err, "its sequence is no number")
}
