package message

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
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
			err := CheckApproval(status, c.approval, c.at)
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
	require.ErrorContains(t, CheckSteering(api.HoldName, api.Status{}, api.Steering{}), "nobody is named")
	require.ErrorContains(t,
		CheckSteering(api.ResumeName, api.Status{State: api.StateRunning}, api.Steering{By: "a"}),
		"is not held")
	require.ErrorContains(t,
		CheckSteering(api.BackName, api.Status{PointOfNoReturn: &past}, api.Steering{By: "a"}),
		"point of no return")
	require.NoError(t, CheckSteering(api.BackName, api.Status{}, api.Steering{By: "a"}))
}

func TestReleasedNamesOnlyWhatIsAsked(t *testing.T) {
	s := api.Status{Waiting: []api.Waiting{{Kind: api.WaitingRelease, Groups: api.Some("g1"), Topics: api.Some("t1")}}}
	require.NoError(t, CheckReleased(s, api.Released{By: "ci", Groups: []string{"g1"}, Topics: []string{"t1"}}))
	require.ErrorContains(t, CheckReleased(s, api.Released{By: "ci", Topics: []string{"t2"}}), "asked are: t1")
	s.Moved.Groups = []string{"g0"}
	require.NoError(t, CheckReleased(s, api.Released{By: "ci", Groups: []string{"g0"}}),
		"a late or repeated word about a group that moved")
	require.NoError(t, CheckReleased(api.Status{Moved: s.Moved}, api.Released{By: "ci"}))
	require.ErrorContains(t, CheckReleased(api.Status{}, api.Released{By: "ci"}), "no application is asked")
}
