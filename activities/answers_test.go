package activities

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/documents"
	"rocketshift/internal/documents/lists"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

func answerBy(by, action string, span ...int64) api.LaneAnswer {
	a := api.LaneAnswer{By: by, Reason: "a reason", Answer: lane.Answer{
		Topic: "orders", Broker: "broker-a", Queue: 3, Action: action,
	}}
	if len(span) > 0 {
		a.From, a.To = span[0], span[1]
	}
	return a
}

func bys(answers []api.LaneAnswer) (names []string) {
	for _, a := range answers {
		names = append(names, a.By)
	}
	return names
}

// Lists of older runs hold a retry before a skip: a restart must not come to stand before the skip,
// whose offsets are of the topic of before.
func TestARestartStandsBehindOlderAnswers(t *testing.T) {
	old := []api.LaneAnswer{answerBy("a", lane.Retry), answerBy("b", lane.Skip, 5, 9)}
	assert.Equal(t, []string{"b", "c"}, bys(api.StandingAnswers(old, answerBy("c", lane.Restart))))
}

func TestAnAnswerTakesThePlaceOfWhatItSupersedesAlone(t *testing.T) {
	other := answerBy("other", lane.Retry)
	other.Queue = 4
	back := answerBy("back", lane.Retry)
	back.Side = lane.SideTarget
	source := answerBy("d", lane.Skip, 5, 9)
	source.Side = lane.SideSource // the same as none
	for name, test := range map[string]struct {
		said []api.LaneAnswer
		want []string
	}{
		"retries of one lane": {
			[]api.LaneAnswer{answerBy("a", lane.Retry), other, back, answerBy("b", lane.Retry)},
			[]string{"other", "back", "b"},
		},
		"the same offsets": {
			[]api.LaneAnswer{answerBy("a", lane.Skip, 7, 8), other, answerBy("b", lane.Skip, 7, 8)},
			[]string{"other", "b"},
		},
		"all of several": {
			[]api.LaneAnswer{answerBy("a", lane.Skip, 5, 6), other, answerBy("c", lane.Skip, 7, 8), source},
			[]string{"other", "d"},
		},
		"some of them": {
			[]api.LaneAnswer{answerBy("a", lane.Skip, 7, 9), answerBy("b", lane.Skip, 8, 10)},
			[]string{"a", "b"},
		},
		"those of another topic": {[]api.LaneAnswer{
			answerBy("a", lane.Skip, 7, 8), answerBy("b", lane.Restart), answerBy("c", lane.Skip, 7, 8),
		}, []string{"a", "b", "c"}},
		"each restart counts": {
			[]api.LaneAnswer{answerBy("a", lane.Restart), answerBy("b", lane.Restart)},
			[]string{"a", "b"},
		},
	} {
		var all []api.LaneAnswer
		for _, a := range test.said {
			all = api.StandingAnswers(all, a)
		}
		assert.Equal(t, test.want, bys(all), name)
	}
}

func TestLanesGetOnlyTheAnswersThatTheyNeed(t *testing.T) {
	elsewhere := answerBy("elsewhere", lane.Skip, 1, 2)
	elsewhere.Broker = "broker-b"
	back := answerBy("back", lane.Skip, 1, 2)
	back.Broker, back.Side = "broker-x", lane.SideTarget
	got := api.AnswersOfLanes([]api.LaneAnswer{
		answerBy("a", lane.Skip, 7, 8), answerBy("b", lane.Restart),
		answerBy("c", lane.Skip, 1, 3), elsewhere, back, answerBy("d", lane.Retry),
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
		Answers: []api.LaneAnswer{answerBy("a", lane.Skip, 7, 8), answerBy("b", lane.Retry)},
	}
	for _, by := range []string{"c", "d"} {
		q.Earlier, err = r.KeepAnswers(t.Context(), q)
		require.NoError(t, err)
		require.NotNil(t, q.Earlier.Document())
		q.Answers = []api.LaneAnswer{answerBy(by, lane.Restart)}
	}
	all, err := lists.AnswersOf(t.Context(), r.settings.Store, q.Earlier, q.Answers)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "c", "d"}, bys(all), "the retry is over")
}

func TestCollectedNamesAreReadInEitherForm(t *testing.T) {
	store, err := documents.New(t.TempDir())
	require.NoError(t, err)
	s := Settings{Root: t.TempDir(), Store: store}
	list, err := NewAssess(s).KeepNames(t.Context(), NamesRequest{
		Request: Request{Plan: plan.Plan{Name: "orders"}}, Names: api.Some("c", "d"),
	})
	require.NoError(t, err)
	for _, c := range []api.Collected{
		{},
		{Named: []string{"a", "b"}},
		{Named: []string{"a"}, In: []api.Names{list}},
		{In: []api.Names{list}},
	} {
		var got struct {
			C api.Collected `json:"c,omitzero"`
		}
		got.C = c
		b, err := json.Marshal(got)
		require.NoError(t, err)
		got.C = api.Collected{Named: []string{"x"}}
		if !c.IsZero() {
			require.NoError(t, json.Unmarshal(b, &got))
		} else {
			got.C = c
			assert.JSONEq(t, `{}`, string(b))
		}
		all, err := s.collected(t.Context(), Request{}, got.C)
		require.NoError(t, err)
		want, err := s.collected(t.Context(), Request{}, c)
		require.NoError(t, err)
		assert.Equal(t, want, all)
		assert.Len(t, all, len(c.Named)+2*len(c.In))
	}
	var c api.Collected
	require.NoError(t, json.Unmarshal([]byte(`["a"]`), &c), "as releases before wrote it")
	assert.Equal(t, []string{"a"}, c.Named)
}
