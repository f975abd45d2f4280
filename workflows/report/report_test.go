package report

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
)

func reportOf(run string, number int64, changes map[string]any) Report {
	r := Report{WorkflowID: "child", Run: run, Number: number, Changes: map[string]json.RawMessage{}}
	for name, value := range changes {
		r.Changes[name], _ = json.Marshal(value)
	}
	return r
}

func TestReportsMakeTheSameStatusInAnyOrder(t *testing.T) {
	reports := []Report{
		reportOf("run", 1, map[string]any{
			"state":   api.StateRunning,
			"detail":  "a",
			"waves/0": api.WaveStatus{Step: 50, State: api.StagePending},
			"waves/1": api.WaveStatus{Step: 100},
		}),
		reportOf("run", 2, map[string]any{"detail": "b", "waves/0": api.WaveStatus{Step: 50, State: api.WaveGroups}}),
		reportOf("run", 3, map[string]any{"waiting": []api.Waiting{{Gate: "shift-50"}}}),
		reportOf("run", 4,
			map[string]any{"waiting": nil, "approvals/0": api.Approval{By: "alice"}, "ledger": api.Ledger{Rest: 3}}),
	}
	wanted := api.Status{
		State: api.StateRunning, Detail: "b", Ledger: &api.Ledger{Rest: 3}, Approvals: []api.Approval{{By: "alice"}},
		Waves: []api.WaveStatus{{Step: 50, State: api.WaveGroups}, {Step: 100}},
	}
	for range 50 {
		rand.Shuffle(len(reports), func(i, j int) { reports[i], reports[j] = reports[j], reports[i] })
		h := &Heard{Run: "run", Fields: map[string]Field{}}
		var got api.Status
		for _, r := range reports {
			var err error
			got, err = h.Take(r)
			require.NoError(t, err)
		}
		is, err := json.Marshal(got)
		require.NoError(t, err)
		want, err := json.Marshal(wanted)
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(is))
	}
}

func TestAReportOfAnotherRunStartsAnewAndOneOfAnUnknownFieldIsRefused(t *testing.T) {
	h := &Heard{Run: "first", Fields: map[string]Field{}}
	_, err := h.Take(reportOf("first", 9, map[string]any{"detail": "old", "rates/0": api.RateChange{By: "a"}}))
	require.NoError(t, err)
	got, err := h.Take(reportOf("second", 1, map[string]any{"state": api.StateRunning}))
	require.NoError(t, err)
	assert.Equal(t, api.Status{State: api.StateRunning}, got)
	for _, field := range []string{"waves/x", "waves/-1", "detail/0"} {
		_, err := h.Take(reportOf("second", 2, map[string]any{field: "x"}))
		assert.ErrorContains(t, err, "a field that is none")
		delete(h.Fields, field)
	}
}

func TestOnlyWhatChangedIsTold(t *testing.T) {
	s := api.Status{
		Name:   "orders",
		State:  api.StateRunning,
		Detail: "a",
		Waves:  make([]api.WaveStatus, 3),
		Notes:  []string{"n"},
	}
	before, err := FieldsOf(s)
	require.NoError(t, err)
	assert.NotContains(t, before, "name")
	assert.NotContains(t, before, "assessment")
	again, err := FieldsOf(s)
	require.NoError(t, err)
	assert.Empty(t, ChangesOf(before, again))
	s.Detail, s.Waves[1].State, s.Notes = "b", api.WaveSoak, nil
	now, err := FieldsOf(s)
	require.NoError(t, err)
	changes := ChangesOf(before, now)
	assert.Len(t, changes, 3)
	assert.JSONEq(t, `"b"`, string(changes["detail"]))
	assert.JSONEq(t, `null`, string(changes["notes"]))
	assert.Contains(t, string(changes["waves/1"]), api.WaveSoak)
}
