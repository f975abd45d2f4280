package workflows

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/activities"
)

func TestApprovalIsBoundToGatePersonPlanAndEvidence(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	later := now.Add(time.Minute)
	status := Status{
		Waiting: []Waiting{
			{Kind: WaitingApproval, Gate: "purchase", PlanHash: "abc", Evidence: "e1", Expires: &later},
			{Kind: WaitingRelease, Gate: "groups"},
		},
		Approvals: []Approval{{Gate: "shift-25", By: "carol", At: now}},
	}
	for name, c := range map[string]struct {
		approval Approval
		at       time.Time
		want     string // part of the refusal; empty: taken
	}{
		"taken":                  {Approval{Gate: "purchase", By: "alice"}, now, ""},
		"taken with bindings":    {Approval{Gate: "purchase", By: "alice", PlanHash: "abc", Evidence: "e1"}, now, ""},
		"by nobody":              {Approval{Gate: "purchase", By: " "}, now, "nobody is named"},
		"wrong gate":             {Approval{Gate: "finalize", By: "alice"}, now, "waiting now: purchase"},
		"a release is no gate":   {Approval{Gate: "groups", By: "alice"}, now, "no such gate"},
		"other plan":             {Approval{Gate: "purchase", By: "alice", PlanHash: "xyz"}, now, "plan abc runs"},
		"other evidence":         {Approval{Gate: "purchase", By: "alice", Evidence: "e0"}, now, "e1 is shown now"},
		"expired":                {Approval{Gate: "purchase", By: "alice"}, later.Add(time.Second), "expired"},
		"used once":              {Approval{Gate: "shift-25", By: "alice"}, now, "approved by carol"},
		"a gate that never was":  {Approval{Gate: "", By: "alice"}, now, "no such gate"},
		"case of a gate matters": {Approval{Gate: "Purchase", By: "alice"}, now, "no such gate"},
	} {
		t.Run(name, func(t *testing.T) {
			err := checkApproval(status, c.approval, c.at)
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
	require.ErrorContains(t, checkSteering(HoldName, Status{}, Steering{}), "nobody is named")
	require.ErrorContains(t, checkSteering(ResumeName, Status{State: StateRunning}, Steering{By: "a"}), "is not held")
	require.ErrorContains(t, checkSteering(BackName, Status{PointOfNoReturn: &past}, Steering{By: "a"}), "point of no return")
	require.NoError(t, checkSteering(BackName, Status{}, Steering{By: "a"}))
}

func TestReleasedNamesOnlyWhatIsAsked(t *testing.T) {
	s := Status{Waiting: []Waiting{{Kind: WaitingRelease, Groups: activities.Some("g1"), Topics: activities.Some("t1")}}}
	require.NoError(t, checkReleased(s, Released{By: "ci", Groups: []string{"g1"}, Topics: []string{"t1"}}))
	require.ErrorContains(t, checkReleased(s, Released{By: "ci", Topics: []string{"t2"}}), "asked are: t1")
	s.Moved.Groups = []string{"g0"}
	require.NoError(t, checkReleased(s, Released{By: "ci", Groups: []string{"g0"}}), "a late or repeated word about a group that moved")
	require.NoError(t, checkReleased(Status{Moved: s.Moved}, Released{By: "ci"}))
	require.ErrorContains(t, checkReleased(Status{}, Released{By: "ci"}), "no application is asked")
}

func TestDetailsSayWhatIsWaitedForAndWhichCommandAnswers(t *testing.T) {
	s := Status{
		Name: "orders", Type: MigrationType, State: StateWaiting, PlanHash: "abc",
		Waiting: []Waiting{{Kind: WaitingApproval, Gate: "shift-25", Text: "shift to 25%"}},
		Stages:  []StageStatus{{Name: ShiftType, State: StageRunning, Detail: "step 1 of 3"}},
		Waves:   []WaveStatus{{Step: 25, State: WaveGroups, Topics: activities.Some("a", "b", "c", "d", "e", "f", "g")}},
	}
	text := Details(s)
	for _, want := range []string{"shift to 25%", "rocketshift approve orders shift-25 --by", "| Shift | running | step 1 of 3 |", "a, b, c, d, e and 2 more"} {
		require.Contains(t, text, want)
	}
	require.Contains(t, Details(Status{Name: "orders", Type: ReplicateType}), "rocketshift lanes orders")
	require.Equal(t, "approval:shift-25", waitingValue(s))
	require.Equal(t, "nobody", waitingValue(Status{}))
}

// The Web UI shows details as Markdown, and clients choose their ids.
func TestDetailsShowWhatClientsNameAsText(t *testing.T) {
	const evil = "\x1b]0;x\x07 <img src=x> | `cell`\n# line\u202e"
	text := Details(Status{
		Name: "orders", Type: MigrationType, Detail: evil, Error: evil, Notes: []string{evil},
		Stages:  []StageStatus{{Name: ShiftType, State: StageRunning, Detail: evil}},
		Waiting: []Waiting{{Kind: WaitingApproval, Gate: "shift-25", Text: evil}},
		Ledger:  &activities.Ledger{Rows: activities.Some(activities.LedgerRow{Kind: "kind", Object: evil})},
	})
	require.Equal(t, 6, strings.Count(text, `\x1b]0;x\a &lt;img src=x> \| 'cell' # line\u202e`))
	for _, raw := range []string{"\x1b", "\x07", "<img", "\n# line", "\u202e"} {
		require.NotContains(t, text, raw)
	}
}
