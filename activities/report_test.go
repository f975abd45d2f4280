package activities

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters/ledger"
	"rocketshift/internal/documents"
	"rocketshift/internal/documents/lists"
	"rocketshift/plan"
)

const someStatus = `{
  "name": "orders-2026", "type": "Migration", "planHash": "0123456789ab", "state": "done", "stage": "finalize",
  "target": {"provider": "local", "version": "5.3.3", "nameServers": ["127.0.0.1:19876"]},
  "stages": [{"name": "Assess", "state": "done", "detail": "3 topics", "startedAt": "2026-11-23T09:00:00Z", "endedAt": "2026-11-23T09:00:01Z"}],
  "waves": [{"step": 50, "state": "done", "topics": ["orders"], "groups": ["billing"], "check": {"targetPuts": 12}}],
  "approvals": [{"gate": "shift-50", "by": "ada", "reason": "ticket 7 | <b>go</b>", "at": "2026-11-23T09:05:00Z"}],
  "metadata": {"warnings": [{"refusal": false, "object": "setting regionId", "cause": "is eu", "next": "write it"}]},
  "inventory": {"sourceVersion": "4.9.7", "brokers": 1, "topics": 1, "findings": [{"refusal": false, "object": "group stats", "cause": "broadcasts", "next": "plan for it"}]},
  "verification": {"lanes": 4, "compared": 20000, "examples": ["orders a/1 at 7: body differs"]},
  "ledger": {"rest": 2, "rows": [{"kind": "retry", "object": "group billing", "rest": 2, "detail": "in %RETRY%billing"}],
    "stragglers": [{"kind": "stragglers", "object": "topic orders", "rest": 12, "detail": "[broker-a/2 12]"}]},
  "notes": ["held by ada"], "unknownKey": {"stays": "in the JSON"}
}`

func writeReport(t *testing.T, s Settings, name, document string) (ReportResult, error) {
	t.Helper()
	env := newEnvironment()
	env.RegisterActivity(NewReports(s))
	var any map[string]any
	require.NoError(t, json.Unmarshal([]byte(document), &any))
	value, err := env.ExecuteActivity("Write", ReportRequest{Name: name, Document: any})
	var result ReportResult
	if err == nil {
		require.NoError(t, value.Get(&result))
	}
	return result, err
}

func TestReportTellsPeopleAndProgramsTheSame(t *testing.T) {
	s := Settings{Root: t.TempDir()}
	result, err := writeReport(t, s, "orders-2026", someStatus)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(".run", "reports", "orders-2026.md"), result.Path)
	page, err := os.ReadFile(filepath.Join(s.Root, result.Path))
	require.NoError(t, err)
	for _, part := range []string{
		"# Migration orders-2026: done", "plan 0123456789ab", "local 5.3.3", "| Assess | done | 2026-11-23 " +
			"09:00:00 |", "| 50 % | done | orders | billing |",
		"| shift-50 | ada | 2026-11-23 09:05:00 |", "| 4 | 20000 |", "body differs", "Ledger: rest 2", "| retry | group billing | 2 |", "| topic orders | 12 | [broker-a/2 12] |", "broadcasts", "## Brokers' settings", "setting regionId", "- held by ada",
	} {
		assert.Contains(t, string(page), part)
	}
	assert.Contains(t, string(page), `ticket 7 \| &lt;b>go&lt;/b>`, "what people typed stays text in its cell")
	document, err := os.ReadFile(strings.TrimSuffix(filepath.Join(s.Root, result.Path), ".md") + ".json")
	require.NoError(t, err)
	assert.JSONEq(t, someStatus, string(document), "the JSON report keeps every key")
}

func TestReportShowsWhatClientsNameAsText(t *testing.T) {
	s := Settings{Root: t.TempDir()}
	result, err := writeReport(t, s, "orders",
		`{"name": "orders", "state": "done", "notes": ["\u001b]0;x\u0007 <img> \u202e\u009b"]}`)
	require.NoError(t, err)
	page, err := os.ReadFile(filepath.Join(s.Root, result.Path))
	require.NoError(t, err)
	assert.Contains(t, string(page), `- \x1b]0;x\a &lt;img> \u202e\u009b`)
	document, err := os.ReadFile(filepath.Join(s.Root, ".run", "reports", "orders.json"))
	require.NoError(t, err)
	for _, r := range string(page) + string(document) {
		assert.True(t, unicode.IsPrint(r) || r == '\n', "%q", r)
	}
}

func TestReportIsReplacedAsAWhole(t *testing.T) {
	s := Settings{Root: t.TempDir(), Reports: t.TempDir()}
	for _, state := range []string{"failed", "done"} {
		result, err := writeReport(t, s, "orders", `{"name": "orders", "state": "`+state+`"}`)
		require.NoError(t, err)
		assert.Equal(t, "orders.md", result.Path, "named from its own folder")
	}
	page, err := os.ReadFile(filepath.Join(s.Reports, "orders.md"))
	require.NoError(t, err)
	assert.Contains(t, string(page), "orders: done")
	files, err := os.ReadDir(s.Reports)
	require.NoError(t, err)
	assert.Len(t, files, 2, "no temporary file is left: %v", files)
}

func TestReportStaysInItsFolder(t *testing.T) {
	for _, name := range []string{"", "../evil", "a/b", "A", "-x", ".."} {
		_, err := writeReport(t, Settings{Root: t.TempDir()}, name, `{}`)
		assert.Equal(t, InvalidType, typeOf(err), "name %q", name)
	}
}

func TestReportHasWholeWhatTheStatusRefersTo(t *testing.T) {
	s := Settings{Root: t.TempDir()}.withDefaults()
	r := Request{Plan: plan.Plan{Name: "orders"}, Bounded: true}
	names := make([]string, 1000)
	rows := make([]api.LedgerRow, 1000)
	for i := range names {
		names[i] = fmt.Sprintf("billing-service-%04d", i)
		rows[i] = api.LedgerRow{Kind: ledger.KindLag, Object: "topic " + names[i], Rest: 1 << 60}
	}
	groups, err := lists.Bounded(t.Context(), s.lists(r), "groups", names, lists.NamesRoom)
	require.NoError(t, err)
	ledger, err := lists.Bounded(t.Context(), s.lists(r), "ledger", rows, lists.RowsRoom)
	require.NoError(t, err)
	status := func() string {
		b, err := json.Marshal(map[string]any{
			"name": "orders", "state": "done", "ledger": api.Ledger{Rows: ledger, Rest: 1000},
			"waves": []any{map[string]any{"step": 100, "groups": groups.Cut(10, 990)}},
		})
		require.NoError(t, err)
		return string(b)
	}()
	read := func(extension string) string {
		text, err := os.ReadFile(filepath.Join(s.Reports, "orders"+extension))
		require.NoError(t, err)
		return string(text)
	}
	_, err = writeReport(t, s, "orders", status)
	require.NoError(t, err)
	var got struct {
		Waves  []struct{ Groups []string }
		Ledger struct{ Rows []api.LedgerRow }
	}
	require.NoError(t, json.Unmarshal([]byte(read(".json")), &got))
	assert.Equal(t, names[10:990], got.Waves[0].Groups)
	assert.Equal(t, rows, got.Ledger.Rows)
	assert.Contains(t, read(".md"), "| lag | topic billing-service-0999 |")
	assert.Contains(t, read(".md"), "billing-service-0014 and 975 more")

	// A store that has lost a document keeps no report from being written.
	lost, err := documents.New(t.TempDir())
	require.NoError(t, err)
	s.Store = lost
	_, err = writeReport(t, s, "orders", status)
	require.NoError(t, err)
	assert.Contains(t, read(".json"), ledger.Document().Digest)
	assert.Contains(t, read(".md"), "The rest is in document orders/"+ledger.Document().Digest)
	assert.Contains(t, read(".md"), "## Lost")
	assert.Contains(t, read(".json"), `"lostDocuments": [`)
}
