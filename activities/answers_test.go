package activities

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/documents"
	"rocketshift/plan"
	"rocketshift/replicator"
)

func answerBy(by, action string, span ...int64) LaneAnswer {
	a := LaneAnswer{By: by, Reason: "a reason", Answer: replicator.Answer{
		Topic: "orders", Broker: "broker-a", Queue: 3, Action: action,
	}}
	if len(span) > 0 {
		a.From, a.To = span[0], span[1]
	}
	return a
}

func bys(answers []LaneAnswer) (names []string) {
	for _, a := range answers {
		names = append(names, a.By)
	}
	return names
}

// Lists of older runs hold a retry before a skip: a restart must not come to stand before the skip,
// whose offsets are of the topic of before.
func TestARestartStandsBehindOlderAnswers(t *testing.T) {
	old := []LaneAnswer{answerBy("a", replicator.Retry), answerBy("b", replicator.Skip, 5, 9)}
	assert.Equal(t, []string{"b", "c"}, bys(StandingAnswers(old, answerBy("c", replicator.Restart))))
}

func TestAnAnswerTakesThePlaceOfWhatItSupersedesAlone(t *testing.T) {
	other := answerBy("other", replicator.Retry)
	other.Queue = 4
	back := answerBy("back", replicator.Retry)
	back.Side = replicator.SideTarget
	source := answerBy("d", replicator.Skip, 5, 9)
	source.Side = replicator.SideSource // the same as none
	for name, test := range map[string]struct {
		said []LaneAnswer
		want []string
	}{
		"retries of one lane": {
			[]LaneAnswer{answerBy("a", replicator.Retry), other, back, answerBy("b", replicator.Retry)},
			[]string{"other", "back", "b"},
		},
		"the same offsets": {
			[]LaneAnswer{answerBy("a", replicator.Skip, 7, 8), other, answerBy("b", replicator.Skip, 7, 8)},
			[]string{"other", "b"},
		},
		"all of several": {
			[]LaneAnswer{answerBy("a", replicator.Skip, 5, 6), other, answerBy("c", replicator.Skip, 7, 8), source},
			[]string{"other", "d"},
		},
		"some of them": {
			[]LaneAnswer{answerBy("a", replicator.Skip, 7, 9), answerBy("b", replicator.Skip, 8, 10)},
			[]string{"a", "b"},
		},
		"those of another topic": {[]LaneAnswer{
			answerBy("a", replicator.Skip, 7, 8), answerBy("b", replicator.Restart), answerBy("c", replicator.Skip, 7, 8),
		}, []string{"a", "b", "c"}},
		"each restart counts": {
			[]LaneAnswer{answerBy("a", replicator.Restart), answerBy("b", replicator.Restart)},
			[]string{"a", "b"},
		},
	} {
		var all []LaneAnswer
		for _, a := range test.said {
			all = StandingAnswers(all, a)
		}
		assert.Equal(t, test.want, bys(all), name)
	}
}

func TestLanesGetOnlyTheAnswersThatTheyNeed(t *testing.T) {
	elsewhere := answerBy("elsewhere", replicator.Skip, 1, 2)
	elsewhere.Broker = "broker-b"
	back := answerBy("back", replicator.Skip, 1, 2)
	back.Broker, back.Side = "broker-x", replicator.SideTarget
	got := AnswersOfLanes([]LaneAnswer{
		answerBy("a", replicator.Skip, 7, 8), answerBy("b", replicator.Restart),
		answerBy("c", replicator.Skip, 1, 3), elsewhere, back, answerBy("d", replicator.Retry),
	}, "broker-a")
	b, err := json.Marshal(got)
	require.NoError(t, err)
	assert.JSONEq(t, `[
		{"topic":"orders","broker":"broker-a","queue":3,"action":"restart","by":""},
		{"topic":"orders","broker":"broker-a","queue":3,"action":"skip","from":1,"to":3,"by":""},
		{"side":"target","topic":"orders","broker":"broker-x","queue":3,"action":"skip","from":1,"to":2,"by":""}]`, string(b))
}

func TestAnswersAreKeptInADocumentInTheirOrder(t *testing.T) {
	store, err := documents.New(t.TempDir())
	require.NoError(t, err)
	r := NewReplication(Settings{Root: t.TempDir(), Store: store})
	q := KeepAnswersRequest{
		Request: Request{Plan: plan.Plan{Name: "orders"}, Bounded: true},
		Answers: []LaneAnswer{answerBy("a", replicator.Skip, 7, 8), answerBy("b", replicator.Retry)},
	}
	for _, by := range []string{"c", "d"} {
		q.Earlier, err = r.KeepAnswers(t.Context(), q)
		require.NoError(t, err)
		require.NotNil(t, q.Earlier.Document())
		q.Answers = []LaneAnswer{answerBy(by, replicator.Restart)}
	}
	all, err := answersOf(t.Context(), r.settings, q.Earlier, q.Answers)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "c", "d"}, bys(all), "the retry is over")
}

func TestCollectedNamesAreReadInEitherForm(t *testing.T) {
	store, err := documents.New(t.TempDir())
	require.NoError(t, err)
	s := Settings{Root: t.TempDir(), Store: store}
	list, err := NewAssess(s).KeepNames(t.Context(), NamesRequest{
		Request: Request{Plan: plan.Plan{Name: "orders"}}, Names: Some("c", "d"),
	})
	require.NoError(t, err)
	for _, c := range []Collected{
		{},
		{Named: []string{"a", "b"}},
		{Named: []string{"a"}, In: []Names{list}},
		{In: []Names{list}},
	} {
		var got struct {
			C Collected `json:"c,omitzero"`
		}
		got.C = c
		b, err := json.Marshal(got)
		require.NoError(t, err)
		got.C = Collected{Named: []string{"x"}}
		if !c.IsZero() {
			require.NoError(t, json.Unmarshal(b, &got))
		} else {
			got.C = c
			assert.JSONEq(t, `{}`, string(b))
		}
		all, err := collected(t.Context(), s, got.C)
		require.NoError(t, err)
		want, err := collected(t.Context(), s, c)
		require.NoError(t, err)
		assert.Equal(t, want, all)
		assert.Len(t, all, len(c.Named)+2*len(c.In))
	}
	var c Collected
	require.NoError(t, json.Unmarshal([]byte(`["a"]`), &c), "as releases before wrote it")
	assert.Equal(t, []string{"a"}, c.Named)
}
