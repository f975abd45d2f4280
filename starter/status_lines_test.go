package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/starter/remote"
)

const refusal2 = "refused, 2 reasons:\ntopic a: can't be read; exclude it\ntopic b: is gone; " +
	"leave it out"

func TestErrorsOfSeveralLinesAreOneRowOfTheTable(t *testing.T) {
	s := running(func(s *remote.Snapshot) {
		s.Stages[1].State, s.Stages[1].Detail, s.Error = api.StageFailed, refusal2, refusal2
	})
	o := rocketshift(t, &fake{looks: seen(s)}, "status", "orders")
	const line = "refused, 2 reasons: topic a: can't be read; exclude it; topic b: is gone"
	var rows []string
	for _, row := range strings.Split(o.stdout, "\n") {
		if strings.Contains(row, line) {
			rows = append(rows, row)
		}
	}
	require.Len(t, rows, 2, o.stdout)
	assert.Contains(t, rows[0], " Shift")
	assert.Contains(t, rows[1], "Error ")
}

func TestAFindingAboutTheGatewayEndsWhenTheGatewayIsHeardOf(t *testing.T) {
	s := running(func(s *remote.Snapshot) {
		s.Inventory = &api.InventorySummary{
			SourceVersion: "4.9.7", Findings: api.Some(
				api.Finding{Object: "gateway", Cause: "it doesn't answer", Next: "start it"},
				api.Finding{Object: "group billing", Cause: "broadcasts", Next: "plan for it"},
			),
		}
		s.Sync = &api.SyncProgress{Waiting: "the gateway doesn't answer"}
	})
	o := rocketshift(t, &fake{looks: seen(s)}, "status", "orders")
	assert.Contains(t, o.stdout, "Finding    gateway: it doesn't answer")
	s.Sync = &api.SyncProgress{PastAt: noon}
	o = rocketshift(t, &fake{looks: seen(s)}, "status", "orders")
	assert.NotContains(t, o.stdout, "Finding    gateway")
	assert.Contains(t, o.stdout, "Finding    group billing")
}

// A question stands while its evidence is measured again, with an end that has passed: pipelines
// that look every second must not see somebody asked, nobody, and somebody again.
func TestAQuestionThatIsMeasuredAgainIsStillWaitedFor(t *testing.T) {
	s := asking("finalize")
	past := noon.Add(-time.Minute)
	s.Waiting[0].Expires = &past
	o := rocketshift(t, &fake{looks: seen(s)}, "status", "orders")
	require.Equal(t, failure.Waiting, o.code)
	assert.Contains(t, o.stdout, "being measured again")
}
