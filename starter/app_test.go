package main

import (
	"errors"
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

func planFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plan.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

const goodPlan = "name: orders\nsource: {nameServers: [\"10.0.0.1:9876\"]}\ntarget: {provider: local}\n"

func TestTheExampleOfTheDocumentationIsValid(t *testing.T) {
	o := rocketshift(t, nil, "plan", "-f", "../docs/examples/orders-2026.yaml")
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "# plan orders-2026, hash ")
	again := rocketshiftIn(t, nil, o.stdout, nil, "plan", "-f", "-", "-o", "json")
	require.Equal(t, failure.Done, again.code, "what plan prints is a plan again: %s", again.stderr)
	assert.Contains(t, o.stdout, "hash "+again.document(t)["hash"].(string)+":")
}

func TestPlanFillsInDefaults(t *testing.T) {
	o := rocketshift(t, nil, "plan", planFile(t, goodPlan))
	require.Equal(t, failure.Done, o.code, o.stderr)
	for _, want := range []string{"version: 5.3.3", "soak: 10s", "- 25\n", "- purchase\n"} {
		assert.Contains(t, o.stdout, want)
	}
}

func TestBadPlansAreRefusedByPathWithExitCode2(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":     {goodPlan + "approvels: []\n", "approvels: unknown key; allowed: approvals, groups, metadata, name"},
		"key there twice": {goodPlan + "name: b\n", `key "name" already set`},
		"source = target": {strings.Replace(goodPlan, "provider: local", `provider: existing, nameServers: ["10.0.0.1:9876"]`, 1), "target.nameServers[0]: \"10.0.0.1:9876\" is a name server of the source too"},
		"no YAML":         {"name: [", "is neither YAML nor JSON"},
		"empty":           {"", "the document is empty"},
		"too long":        {goodPlan + strings.Repeat("#", plan.MaxBytes), "longer than the 262144 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, command := range []string{"plan", "start"} {
				f := &fake{}
				o := rocketshift(t, f, command, "-f", planFile(t, c.text))
				assert.Equal(t, failure.BadUsage, o.code)
				assert.Contains(t, o.stderr, c.want)
				assert.Empty(t, o.stdout)
				assert.Empty(t, f.plans, "nothing was started")
			}
		})
	}
}

func TestSeveralProblemsOfAPlanAreListed(t *testing.T) {
	path := planFile(t, "name: Orders\nsource: {}\ntarget: {provider: cloud}\n")
	o := rocketshift(t, nil, "plan", "-f", path)
	assert.Equal(t, failure.BadUsage, o.code)
	assert.Contains(t, o.stderr, "the plan has 3 problems:\n  name: ")
	doc := rocketshift(t, nil, "plan", "-f", path, "-o", "json").document(t)
	assert.Len(t, doc["problems"], 3)
	assert.EqualValues(t, failure.BadUsage, doc["exitCode"])
}

func TestMistakesOfTheCommandLineAreUsage(t *testing.T) {
	for line, want := range map[string]string{
		"plan":                             "no plan: give its file by -f plan.yaml",
		"plan -f nowhere.yaml":             "the plan's file nowhere.yaml is not there",
		"plan -f a b":                      "one plan at a time",
		"plan a b":                         "accepts at most 1 arg",
		"strat":                            "unknown command",
		"status":                           "want exactly one argument",
		"status a b":                       "want exactly one argument",
		"status orders --frob":             "unknown flag: --frob",
		"status orders -o yaml":            `-o "yaml": allowed: text, json`,
		"status orders --wait=long":        "--wait=long: allowed: asked, end",
		"status orders --stage Nix":        `--stage "Nix": allowed: Assess, Purchase`,
		"approve orders purchase":          "nobody is named: say who you are by --by",
		"approve orders purchase --by=":    "nobody is named",
		"approve orders --by me":           "want two arguments",
		"hold orders":                      "nobody is named",
		"released orders":                  "nobody is named",
		"doctor now":                       "unknown command",
		"start --wait=x":                   "--wait=x: allowed",
		"back orders --by me --timeout no": "invalid argument",
	} {
		t.Run(line, func(t *testing.T) {
			args := strings.Split(line, " ")
			o := rocketshift(t, &fake{}, args...)
			assert.Equal(t, failure.BadUsage, o.code)
			assert.Contains(t, o.stderr, want)
			assert.Empty(t, o.stdout)

			o = rocketshift(t, &fake{}, append([]string{"-o", "json"}, args...)...)
			assert.Contains(t, o.document(t)["error"], want)
			assert.EqualValues(t, failure.BadUsage, o.document(t)["exitCode"])
			assert.Equal(t, failure.BadUsage, o.code)
		})
	}
}

func TestAnUnreachableTemporalFailsWithTheNextStep(t *testing.T) {
	o := rocketshift(t, nil, "status", "orders")
	assert.Equal(t, failure.Failed, o.code)
	assert.Equal(t, "rocketshift: temporal at nowhere:7233 does not answer; start it\n", o.stderr)
	doc := rocketshift(t, nil, "status", "orders", "-o", "json").document(t)
	assert.Equal(t,
		map[string]any{"error": "temporal at nowhere:7233 does not answer", "next": "start it", "exitCode": 1.0},
		doc)
}

func TestExitCodesAreDocumented(t *testing.T) {
	o := rocketshift(t, nil, "help", "exit-codes")
	assert.Equal(t, failure.Done, o.code)
	for _, want := range []string{"0  done", "1  failed", "2  usage", "3  waiting", "4  halted", "5  rolled back", "6  differs"} {
		assert.Contains(t, o.stdout, want)
	}
}

func TestTheStateIsTheExitCode(t *testing.T) {
	held := api.Waiting{Kind: api.WaitingGate, Gate: api.ResumeName}
	for name, c := range map[string]struct {
		snapshot remote.Snapshot
		want     int
	}{
		"running":        {running(), failure.Done},
		"done":           {over(api.StateDone, ""), failure.Done},
		"failed":         {over(api.StateFailed, "no"), failure.Failed},
		"rolled back":    {over(api.StateRolledBack, ""), failure.RolledBack},
		"asks approval":  {asking("purchase"), failure.Waiting},
		"asks a release": {asksRelease(), failure.Waiting},
		"held":           {running(func(s *remote.Snapshot) { s.State, s.Waiting = api.StateWaiting, []api.Waiting{held} }), failure.Halted},
		"held by state":  {running(func(s *remote.Snapshot) { s.State = api.StateHeld }), failure.Halted},
		"polling a gate": {running(func(s *remote.Snapshot) { s.Blocked = []remote.Blocked{{Type: "NotReady", Attempt: 99}} }), failure.Done},
		"people are asked for applications": {running(func(s *remote.Snapshot) {
			s.Waiting = []api.Waiting{{Kind: api.WaitingRelease}}
			s.Blocked = []remote.Blocked{{Type: "Bypassed", Attempt: 99}}
		}), failure.Waiting},
		"broker blinks":  {running(func(s *remote.Snapshot) { s.Blocked = []remote.Blocked{{Type: "SourceUnreachable", Attempt: 2}} }), failure.Done},
		"source is down": {running(func(s *remote.Snapshot) { s.Blocked = []remote.Blocked{{Type: "SourceUnreachable", Attempt: 4}} }), failure.Halted},
		"asks and is held": {running(func(s *remote.Snapshot) {
			s.Waiting = append(asking("shift-25").Waiting, held)
			s.State = api.StateWaiting
		}), failure.Halted},
	} {
		o := rocketshift(t, &fake{looks: seen(c.snapshot)}, "status", "orders", "-o", "json")
		assert.Equal(t, c.want, o.code, name)
		assert.EqualValues(t, c.want, o.document(t)["exitCode"], name)
	}
}

func TestFailuresKeepTheirCause(t *testing.T) {
	cause := errors.New("cause")
	assert.ErrorIs(t, failure.Usage("next", "text: %w", cause), cause)
	assert.EqualError(t, failure.Usage("next", "text: %w", cause), "text: cause; next")
	assert.EqualError(t, failure.Usage("", "text"), "text")
}
