package verdict

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/demo/ledger"
)

const ms = int64(1e6)

// story builds ledgers: one producer "p" on topic "t" and one orderly group "g" that reads it.
type story struct {
	sent     []ledger.Sent
	received []ledger.Received
	orderly  bool
}

func (s *story) send(outcome ledger.Outcome, seq int64, key string, at int64) *story {
	s.sent = append(s.sent, ledger.Sent{Outcome: outcome, ID: ledger.ID("p", seq), Key: key, Topic: "t", At: at * ms})
	return s
}

func (s *story) receive(seq int64, key string, at int64) *story {
	s.received = append(s.received, ledger.Received{ID: ledger.ID("p", seq), Key: key, Topic: "t", At: at * ms})
	return s
}

func (s *story) input() Input {
	return Input{
		Sent: map[string][]ledger.Sent{"p": s.sent},
		Groups: []Group{
			{Name: "g", Topics: []string{"t"}, Orderly: s.orderly, Ordered: []string{"t"}, Received: s.received},
		},
	}
}

func TestVerdictCountsWhatHappenedToMessages(t *testing.T) {
	ack, try, maybe, none := ledger.Ack, ledger.Try, ledger.Maybe, ledger.None
	tests := map[string]struct {
		story            *story
		lost, dup, order int64
		messages         int64
	}{
		"each message once and in order is clean": {
			story: (&story{orderly: true}).send(ack, 1, "a", 1).
				send(ack, 2, "a", 2).
				receive(1, "a", 3).
				receive(2, "a", 4),
			messages: 2,
		},
		"an acknowledged message that is missing is lost": {
			story: (&story{}).send(ack, 1, "a", 1).send(ack, 2, "a", 2).receive(1, "a", 3), lost: 1, messages: 2,
		},
		"a group without any delivery lost everything": {
			story: (&story{}).send(ack, 1, "a", 1).send(ack, 2, "a", 2), lost: 2, messages: 2,
		},
		"each delivery beyond the first is a duplicate": {
			story: (&story{}).send(ack, 1, "a", 1).
				receive(1, "a", 2).
				receive(1, "a", 3).
				receive(1, "a", 4),
			dup: 2, messages: 1,
		},
		"an earlier message of the same key after a later one is out of order": {
			story: (&story{orderly: true}).send(ack, 1, "a", 1).
				send(ack, 2, "a", 2).
				receive(2, "a", 3).
				receive(1, "a", 4),
			order: 1, messages: 2,
		},
		"one late message does not make its successors out of order": {
			story: (&story{orderly: true}).send(ack, 1, "a", 1).send(ack, 2, "a", 2).send(ack, 3, "a", 3).
				receive(2, "a", 4).receive(1, "a", 5).receive(3, "a", 6),
			order: 1, messages: 3,
		},
		"different keys have no order among themselves": {
			story: (&story{orderly: true}).send(ack, 1, "a", 1).
				send(ack, 2, "b", 2).
				receive(2, "b", 3).
				receive(1, "a", 4),
			messages: 2,
		},
		"a concurrent group was promised no order": {
			story:    (&story{}).send(ack, 1, "a", 1).send(ack, 2, "a", 2).receive(2, "a", 3).receive(1, "a", 4),
			messages: 2,
		},
		"a duplicate that jumps back is a duplicate, not out of order as well": {
			story: (&story{orderly: true}).send(ack, 1, "a", 1).send(ack, 2, "a", 2).
				receive(1, "a", 3).receive(2, "a", 4).receive(1, "a", 5),
			dup: 1, messages: 2,
		},
		"an unclear send may be there": {
			story: (&story{orderly: true}).send(try, 1, "a", 1).send(maybe, 1, "a", 2).receive(1, "a", 3),
		},
		"an unclear send may be missing": {
			story: (&story{}).send(try, 1, "a", 1).send(maybe, 1, "a", 2),
		},
		"an unclear send may surface late": {
			story: (&story{orderly: true}).send(maybe, 1, "a", 1).
				send(ack, 2, "a", 2).
				receive(2, "a", 3).
				receive(1, "a", 4),
			messages: 1,
		},
		"an unclear send must not be there twice": {
			story: (&story{}).send(maybe, 1, "a", 1).receive(1, "a", 2).receive(1, "a", 3), dup: 1,
		},
		"a send that was given up counts for nothing": {
			story: (&story{}).send(try, 1, "a", 1).send(none, 1, "a", 2),
		},
		"the last record of a message decides": {
			story: (&story{}).send(try, 1, "a", 1).send(ack, 1, "a", 2).receive(1, "a", 3), messages: 1,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v, d, err := Judge(tt.story.input())
			require.NoError(t, err)
			require.Equal(t, []int64{tt.lost, tt.dup, tt.order, tt.messages},
				[]int64{v.Lost, v.Duplicated, v.OutOfOrder, v.Messages},
				"lost, duplicated, out of order, messages; examples: %v", d.Examples)
			require.Equal(t, tt.lost+tt.dup+tt.order == 0, v.Clean())
			require.Equal(t, v.Clean(), len(d.Examples) == 0, "harm is shown by examples: %v", d.Examples)
		})
	}
}

func TestEachGroupOfATopicMustReceiveItsMessages(t *testing.T) {
	s := (&story{}).send(ledger.Ack, 1, "a", 1).receive(1, "a", 2)
	in := s.input()
	in.Groups = append(in.Groups,
		Group{Name: "other topic", Topics: []string{"u"}},
		Group{Name: "same topic", Topics: []string{"u", "t"}})
	v, d, err := Judge(in)
	require.NoError(t, err)
	require.EqualValues(t, 1, v.Lost)
	require.Equal(t, []string{"lost: group same topic never received p-1 of topic t"}, d.Examples)
}

func TestOnlyWhatARunReadsTwiceFromOnePlaceIsItsClientsDoing(t *testing.T) {
	first := ledger.Received{
		ID:     "p-1",
		Key:    "a",
		Topic:  "t",
		At:     2 * ms,
		Broker: "b",
		Queue:  1,
		Offset: 7,
		Member: "g-1",
	}
	for name, c := range map[string]struct {
		change func(*ledger.Received)
		want   int
	}{
		"the same place":   {func(*ledger.Received) {}, 1},
		"the next run":     {func(r *ledger.Received) { r.Member = "g-2" }, 0},
		"a second copy":    {func(r *ledger.Received) { r.Offset++ }, 0},
		"another queue":    {func(r *ledger.Received) { r.Queue++ }, 0},
		"the other side":   {func(r *ledger.Received) { r.Broker = "c" }, 0},
		"nobody says whom": {func(r *ledger.Received) { r.Member = "" }, 0},
	} {
		again := first
		again.At = 3 * ms
		c.change(&again)
		in := (&story{}).send(ledger.Ack, 1, "a", 1).input()
		in.Groups[0].Received = []ledger.Received{first, again}
		v, d, err := Judge(in)
		require.NoError(t, err)
		require.EqualValues(t, 1, v.Duplicated, name)
		require.False(t, v.Clean(), name)
		require.Len(t, d.Reread, c.want, name)
	}
}

func TestExamplesAreBounded(t *testing.T) {
	s := &story{}
	for i := int64(1); i <= 100; i++ {
		s.send(ledger.Ack, i, "a", i)
	}
	v, d, err := Judge(s.input())
	require.NoError(t, err)
	require.EqualValues(t, 100, v.Lost)
	require.Len(t, d.Examples, maxExamples)
}

func TestLedgersThatDoNotBelongTogetherAreRefused(t *testing.T) {
	_, _, err := Judge((&story{}).receive(7, "a", 1).input())
	require.ErrorContains(t, err, `group g received message "p-7"`)

	in := (&story{}).send(ledger.Ack, 1, "a", 1).input()
	in.Sent["q"] = in.Sent["p"]
	_, _, err = Judge(in)
	require.ErrorContains(t, err, "ledger of producer q: it holds message p-1 of another producer")

	in = Input{Sent: map[string][]ledger.Sent{"p": {{Outcome: ledger.Ack, ID: "nonsense"}}}}
	_, _, err = Judge(in)
	require.ErrorContains(t, err, "want <producer>-<sequence>")
}

func TestLongestPause(t *testing.T) {
	tests := map[string]struct {
		story *story
		want  int64
		whose string
	}{
		"a producer's longest gap between two acknowledgements": {
			story: (&story{}).send(ledger.Ack, 1, "a", 0).send(ledger.Ack, 2, "a", 100).send(ledger.Ack, 3, "a", 400).
				receive(1, "a", 1).receive(2, "a", 101).receive(3, "a", 401),
			want: 300, whose: "producer p",
		},
		"a group that had something to receive": {
			story: (&story{}).send(ledger.Ack, 1, "a", 0).send(ledger.Ack, 2, "a", 10).send(ledger.Ack, 3, "a", 20).
				receive(1, "a", 1).receive(2, "a", 11).receive(3, "a", 5020),
			want: 5000, whose: "group g",
		},
		"a group with a backlog waits from its last delivery": {
			story: (&story{}).send(ledger.Ack, 1, "a", 0).send(ledger.Ack, 2, "a", 1).send(ledger.Ack, 3, "a", 2).
				receive(1, "a", 100).receive(2, "a", 900).receive(3, "a", 950),
			want: 800, whose: "group g",
		},
		"a group that had received everything does not pause": {
			story: (&story{}).send(ledger.Ack, 1, "a", 0).send(ledger.Ack, 2, "a", 50).send(ledger.Ack, 3, "a", 100).
				receive(1, "a", 1).receive(2, "a", 51).receive(3, "a", 101),
			want: 50, whose: "producer p",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v, d, err := Judge(tt.story.input())
			require.NoError(t, err)
			require.Equal(t, tt.want, v.LongestPauseMs)
			require.Contains(t, d.Pause, tt.whose)
		})
	}
}
