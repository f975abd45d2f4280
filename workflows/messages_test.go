package workflows

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/workflows/stage"
)

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
