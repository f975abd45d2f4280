package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/plan"
	"rocketshift/starter/remote"
)

func newRun() remote.Started {
	return remote.Started{WorkflowID: "migration-orders", RunID: "run-1", PlanHash: "0123456789ab"}
}

func TestStartPassesThePlanWithDefaultsAndSaysWhatIsNext(t *testing.T) {
	f := &fake{started: newRun()}
	o := rocketshift(t, f, "start", "-f", planFile(t, goodPlan))
	require.Equal(t, failure.Done, o.code, o.stderr)
	require.Len(t, f.plans, 1)
	assert.Equal(t, plan.DefaultVersion, f.plans[0].Target.Version)
	assert.Equal(t,
		"started migration-orders with plan 0123456789ab\nnext: rocketshift status orders --watch\n", o.stdout)
	doc := rocketshift(t, f, "start", "-f", planFile(t, goodPlan), "-o", "json").document(t)
	assert.Equal(
		t,
		map[string]any{
			"workflowId": "migration-orders",
			"runId":      "run-1",
			"planHash":   "0123456789ab",
			"joined":     false,
			"ended":      false,
			"exitCode":   0.0,
		},
		doc,
	)
}

func TestStartJoinsARunningOneAndSaysWhenNoWorkerPolls(t *testing.T) {
	s := newRun()
	s.Joined, s.NoWorker = true, true
	o := rocketshift(t, &fake{started: s}, "start", planFile(t, goodPlan))
	assert.Equal(t, failure.Done, o.code)
	assert.Contains(t, o.stdout, "joined migration-orders")
	assert.Contains(t, o.stderr, "no worker polls for it: start bin/rocketshift-worker")
}

func TestStartOfAFinishedOneShowsItsEnd(t *testing.T) {
	s := newRun()
	s.Ended = true
	o := rocketshift(t, &fake{started: s, looks: seen(over(api.StateRolledBack, ""))}, "start",
		planFile(t, goodPlan), "-o", "json")
	assert.Equal(t, failure.RolledBack, o.code)
	assert.Equal(t, "rolledBack", o.document(t)["state"])
	assert.Contains(t, o.stderr, "has run with this plan and ended; nothing was started")
}

func TestStartAgainIsAskedForInWords(t *testing.T) {
	f := &fake{started: newRun()}
	rocketshift(t, f, "start", planFile(t, goodPlan))
	assert.False(t, f.again, "a pipeline that repeats its start moves nothing that people brought back")
	rocketshift(t, f, "start", planFile(t, goodPlan), "--again")
	assert.True(t, f.again)
}

func TestStartPassesRefusalsOn(t *testing.T) {
	o := rocketshift(t,
		&fake{startIs: failure.Usage("use another name", "migration-orders runs with another plan")}, "start",
		planFile(t, goodPlan))
	assert.Equal(t, failure.BadUsage, o.code)
	assert.Equal(t, "rocketshift: migration-orders runs with another plan; use another name\n", o.stderr)
	o = rocketshift(t, &fake{startIs: errLate}, "start", planFile(t, goodPlan))
	assert.Equal(t, failure.Failed, o.code)
	assert.Contains(t, o.stderr, "see rocketshift doctor")
}

func TestStartWaits(t *testing.T) {
	f := &fake{
		started: newRun(),
		looks:   seen(running(), asking("purchase"), over(api.StateFailed, "refused by Assess")),
	}
	o := rocketshift(t, f, "start", planFile(t, goodPlan), "--wait")
	assert.Equal(t, failure.Waiting, o.code)
	assert.Contains(t, o.stdout, "rocketshift approve orders purchase")
	f.looks = seen(running(), asking("purchase"), over(api.StateFailed, "refused by Assess"))
	o = rocketshift(t, f, "start", planFile(t, goodPlan), "--wait=end", "-o", "json")
	assert.Equal(t, failure.Failed, o.code)
	assert.Equal(t, "refused by Assess", o.document(t)["error"])
}

func TestTheWebUITextsFitTemporalsLimits(t *testing.T) {
	p, err := parsePlan("", []byte(goodPlan))
	require.NoError(t, err)
	assert.Equal(t, "orders: 10.0.0.1:9876 to local 5.3.3, plan "+p.Hash(), remote.SummaryOf(p))
	assert.Contains(t, remote.DetailsOf(p), "```yaml\nname: orders\nsource:\n")
	p.Target = plan.Target{Provider: plan.ProviderExisting, NameServers: []string{strings.Repeat("t", 300) + ":1"}}
	p.Topics.Include = []string{strings.Repeat("x", 20_000)}
	assert.Less(t, len(remote.SummaryOf(p)), 200)
	assert.Less(t, len(remote.DetailsOf(p)), 20_000)
}

func TestReportPrintsTheFileWhereItLies(t *testing.T) {
	home := t.TempDir()
	folder := filepath.Join(home, ".run", "reports")
	require.NoError(t, os.MkdirAll(folder, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "orders.md"), []byte("# Report\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "orders.json"), []byte(`{"name":"orders"}`), 0o600))
	env := map[string]string{"ROCKETSHIFT_HOME": home}
	f := &fake{looks: seen(over(api.StateDone, ""))}
	o := rocketshiftIn(t, f, "", env, "report", "orders")
	assert.Equal(t, failure.Done, o.code)
	assert.Equal(t, "# Report\n", o.stdout)
	doc := rocketshiftIn(t, f, "", env, "report", "orders", "-o", "json").document(t)
	assert.Equal(t,
		map[string]any{"path": ".run/reports/orders.json", "report": map[string]any{"name": "orders"}, "exitCode": 0.0},
		doc)
}

func TestReportFallsBackToTheResult(t *testing.T) {
	f := &fake{looks: seen(over(api.StateFailed, "boom"))}
	o := rocketshift(t, f, "report", "orders")
	assert.Equal(t, failure.Failed, o.code)
	assert.Contains(t, o.stderr, "does not lie on this machine")
	assert.Contains(t, o.stdout, "boom")
	doc := rocketshift(t, f, "report", "orders", "-o", "json").document(t)
	assert.Equal(t, "boom", doc["report"].(map[string]any)["error"])
	o = rocketshift(t, &fake{looks: seen(running())}, "report", "orders")
	assert.Equal(t, failure.BadUsage, o.code)
	assert.Contains(t, o.stderr,
		"migration-orders still runs (running); the report is written when it ends; see rocketshift status orders")
}

func TestDoctorFailsOnlyForWhatAMigrationNeeds(t *testing.T) {
	f := &fake{
		checks: []remote.Check{
			{Name: "temporal", Result: remote.CheckOK, Detail: "answers"},
			{Name: "namespace", Result: remote.CheckWarning, Detail: "1 day", Next: "keep longer"},
		},
	}
	o := rocketshift(t, f, "doctor")
	assert.Equal(t, failure.Done, o.code)
	assert.Contains(t, o.stdout, "namespace: keep longer")
	assert.Contains(t, o.stdout, "local target")
	f.checks[0].Result = remote.CheckFailed
	o = rocketshift(t, f, "doctor", "-o", "json")
	assert.Equal(t, failure.Failed, o.code)
	assert.Equal(t, "failed", o.document(t)["checks"].([]any)[0].(map[string]any)["result"])
	o = rocketshift(t, nil, "doctor")
	assert.Equal(t, failure.Failed, o.code)
	assert.Contains(t, o.stdout, "temporal: start it")
}
