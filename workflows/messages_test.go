package workflows

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/workflows/message"
	"rocketshift/workflows/stage"
)

func TestApprovalIsBoundToGatePersonPlanAndEvidence(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	later := now.Add(time.Minute)
	status := api.Status{
		Waiting: []api.Waiting{
			{Kind: api.WaitingApproval, Gate: "purchase", PlanHash: "abc", Evidence: "e1", Expires: &later},
			{Kind: api.WaitingRelease, Gate: "groups"},
		},
		Approvals: []api.Approval{{Gate: "shift-25", By: "carol", At: now}},
	}
	for name, c := range map[string]struct {
		approval api.Approval
		at       time.Time
		want     string // part of the refusal; empty: taken
	}{
		"taken":                  {api.Approval{Gate: "purchase", By: "alice"}, now, ""},
		"taken with bindings":    {api.Approval{Gate: "purchase", By: "alice", PlanHash: "abc", Evidence: "e1"}, now, ""},
		"by nobody":              {api.Approval{Gate: "purchase", By: " "}, now, "nobody is named"},
		"wrong gate":             {api.Approval{Gate: "finalize", By: "alice"}, now, "waiting now: purchase"},
		"a release is no gate":   {api.Approval{Gate: "groups", By: "alice"}, now, "no such gate"},
		"other plan":             {api.Approval{Gate: "purchase", By: "alice", PlanHash: "xyz"}, now, "plan abc runs"},
		"other evidence":         {api.Approval{Gate: "purchase", By: "alice", Evidence: "e0"}, now, "e1 is shown now"},
		"expired":                {api.Approval{Gate: "purchase", By: "alice"}, later.Add(time.Second), "expired"},
		"used once":              {api.Approval{Gate: "shift-25", By: "alice"}, now, "approved by carol"},
		"a gate that never was":  {api.Approval{Gate: "", By: "alice"}, now, "no such gate"},
		"case of a gate matters": {api.Approval{Gate: "Purchase", By: "alice"}, now, "no such gate"},
	} {
		t.Run(name, func(t *testing.T) {
			err := message.CheckApproval(status, c.approval, c.at)
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestSteeringNeedsANameAndAStateThatFits(t *testing.T) {
	past := time.Unix(1_790_000_000, 0)
	require.ErrorContains(t, message.CheckSteering(api.HoldName, api.Status{}, api.Steering{}), "nobody is named")
	require.ErrorContains(t,
		message.CheckSteering(api.ResumeName, api.Status{State: api.StateRunning}, api.Steering{By: "a"}),
		"is not held")
	require.ErrorContains(t,
		message.CheckSteering(api.BackName, api.Status{PointOfNoReturn: &past}, api.Steering{By: "a"}),
		"point of no return")
	require.NoError(t, message.CheckSteering(api.BackName, api.Status{}, api.Steering{By: "a"}))
}

func TestReleasedNamesOnlyWhatIsAsked(t *testing.T) {
	s := api.Status{Waiting: []api.Waiting{{Kind: api.WaitingRelease, Groups: api.Some("g1"), Topics: api.Some("t1")}}}
	require.NoError(t, message.CheckReleased(s, api.Released{By: "ci", Groups: []string{"g1"}, Topics: []string{"t1"}}))
	require.ErrorContains(t, message.CheckReleased(s, api.Released{By: "ci", Topics: []string{"t2"}}), "asked are: t1")
	s.Moved.Groups = []string{"g0"}
	require.NoError(t, message.CheckReleased(s, api.Released{By: "ci", Groups: []string{"g0"}}),
		"a late or repeated word about a group that moved")
	require.NoError(t, message.CheckReleased(api.Status{Moved: s.Moved}, api.Released{By: "ci"}))
	require.ErrorContains(t, message.CheckReleased(api.Status{}, api.Released{By: "ci"}), "no application is asked")
}

func TestDetailsSayWhatIsWaitedForAndWhichCommandAnswers(t *testing.T) {
	s := api.Status{
		Name: "orders", Type: api.MigrationType, State: api.StateWaiting, PlanHash: "abc",
		Waiting: []api.Waiting{{Kind: api.WaitingApproval, Gate: "shift-25", Text: "shift to 25%"}},
		Stages:  []api.StageStatus{{Name: api.ShiftType, State: api.StageRunning, Detail: "step 1 of 3"}},
		Waves: []api.WaveStatus{
			{Step: 25, State: api.WaveGroups, Topics: api.Some("a", "b", "c", "d", "e", "f", "g")},
		},
	}
	text := api.Details(s)
	for _, want := range []string{"shift to 25%", "rocketshift approve orders shift-25 --by", "| Shift | " +
		"running | step 1 of 3 |", "a, b, c, d, e and 2 more"} {
		require.Contains(t, text, want)
	}
	require.Contains(t, api.Details(api.Status{Name: "orders", Type: api.ReplicateType}), "rocketshift lanes orders")
	require.Equal(t, "approval:shift-25", stage.WaitingValue(s))
	require.Equal(t, "nobody", stage.WaitingValue(api.Status{}))
}

// The Web UI shows details as Markdown, and clients choose their ids.
func TestDetailsShowWhatClientsNameAsText(t *testing.T) {
	const evil = "\x1b]0;x\x07 <img src=x> | `cell`\n# line\u202e"
	text := api.Details(api.Status{
		Name: "orders", Type: api.MigrationType, Detail: evil, Error: evil, Notes: []string{evil},
		Stages:  []api.StageStatus{{Name: api.ShiftType, State: api.StageRunning, Detail: evil}},
		Waiting: []api.Waiting{{Kind: api.WaitingApproval, Gate: "shift-25", Text: evil}},
		Ledger:  &api.Ledger{Rows: api.Some(api.LedgerRow{Kind: "kind", Object: evil})},
	})
	require.Equal(t, 6, strings.Count(text, `\x1b]0;x\a &lt;img src=x> \| 'cell' # line\u202e`))
	for _, raw := range []string{"\x1b", "\x07", "<img", "\n# line", "\u202e"} {
		require.NotContains(t, text, raw)
	}
}
