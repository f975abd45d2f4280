package activities

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/rocketmq/remotingtest"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

// emptied is a source of 1,200 topics and groups, and its inventory, before somebody removes the
// store's folder.
func emptied(t *testing.T, name string) (Settings, Request) {
	t.Helper()
	source := &remotingtest.Cluster{
		Name: "C4", Broker: "broker-a", Version: "V4_9_7",
		Topics: map[string]remotingtest.Topic{}, Groups: map[string]bool{},
	}
	for i := range 1200 {
		source.Topics[fmt.Sprintf("topic-%04d", i)] = remotingtest.Topic{Read: 1, Write: 1, Perm: 6}
		source.Groups[fmt.Sprintf("group-%04d", i)] = true
	}
	target := &remotingtest.Cluster{Name: "C5", Broker: "broker-b", Version: "V5_3_3"}
	settings := Settings{Root: t.TempDir(), Clusters: connect.NewPool()}.withDefaults()
	t.Cleanup(settings.Clusters.Close)
	return settings, Request{Bounded: true, Plan: plan.Plan{
		Name: name, Source: plan.Cluster{NameServers: []string{source.Start(t)}},
		Target: plan.Target{Provider: plan.ProviderExisting, NameServers: []string{target.Start(t)}},
	}.WithDefaults()}
}

// lose removes all documents, and returns another worker, which remembers nothing.
func lose(t *testing.T, s Settings, name string) Settings {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(StoreFolder(s.Root), name, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		require.NoError(t, os.Remove(file))
	}
	return Settings{Root: s.Root, Clusters: s.Clusters}.withDefaults()
}

// Somebody removes the store's folder while a migration runs: names of the inventory, what it
// found, and the lists of the steps are measured anew, and stand under the same names again.
func TestDocumentsThatTheStoreLostAreMeasuredAnew(t *testing.T) {
	settings, r := emptied(t, "lost")
	var inventory api.Inventory
	require.NoError(t, ask(t, NewAssess(settings), "Assess", r, &inventory))
	groups := inventory.Groups()
	require.NotNil(t, groups.Document(), "they are too many for a history")
	var names []string
	fresh := lose(t, settings, "lost")
	require.NoError(t, ask(t, NewAssess(fresh), "ReadNames", NamesRequest{r, groups.Cut(100, 103)}, &names))
	assert.Equal(t, []string{"group-0100", "group-0101", "group-0102"}, names)
	var waves []Wave
	require.NoError(t, ask(t, NewAssess(fresh), "PlanWaves", WavesRequest{r, inventory}, &waves))
	require.Len(t, waves, 3)
	of := waves[1].Topics
	require.NotNil(t, of.Document())
	before, err := fresh.names(t.Context(), r, of)
	require.NoError(t, err)
	fresh = lose(t, fresh, "lost")
	after, err := fresh.names(t.Context(), r, of)
	require.NoError(t, err, "lists of steps too")
	assert.Equal(t, before, after)
	assert.Len(t, after, of.Len())
}

// With another list a step would move what nobody has approved: it says so, and what can be done.
func TestAListOfASourceThatHasChangedSaysWhatCanBeDone(t *testing.T) {
	settings, r := emptied(t, "changed")
	var inventory api.Inventory
	require.NoError(t, ask(t, NewAssess(settings), "Assess", r, &inventory))
	fresh := lose(t, settings, "changed")
	r.Plan.Topics.Exclude = []string{"topic-0099"} // as if it weren't there any more
	_, err := fresh.names(t.Context(), r, inventory.Topics())
	assert.Equal(t, DocumentMissingType, typeOf(asTemporal(err)))
	for _, says := range []string{"other topics or groups than then", "bring the document back", "go back"} {
		require.ErrorContains(t, err, says)
	}
}

// Nobody can measure decisions anew: lanes ask again, and it is told that they do.
func TestLanesGoOnWithoutAnswersThatTheStoreLost(t *testing.T) {
	settings := Settings{Root: t.TempDir()}.withDefaults()
	q := KeepAnswersRequest{
		Request: Request{Plan: plan.Plan{Name: "orders"}, Bounded: true},
		Answers: []api.LaneAnswer{answerBy("a", lane.Skip, 7, 8), answerBy("b", lane.Restart)},
	}
	var kept api.List[api.LaneAnswer]
	require.NoError(t, ask(t, NewReplication(settings), "KeepAnswers", q, &kept))
	fresh := lose(t, settings, "orders")
	all, gone, err := fresh.answers(t.Context(), kept, []api.LaneAnswer{answerBy("c", lane.Restart)})
	require.NoError(t, err)
	assert.Equal(t, []string{"c"}, bys(all))
	for _, says := range []string{"2 answers", kept.Document().Digest, "ask again"} {
		assert.Contains(t, gone, says)
	}
	q.Earlier, q.Answers = kept, []api.LaneAnswer{answerBy("c", lane.Restart)}
	require.NoError(t, ask(t, NewReplication(fresh), "KeepAnswers", q, &kept))
	assert.Equal(t, 1, kept.Len())
}

// Every activity reads lists by the functions that measure anew.
func TestNoActivityWaitsForADocumentThatCanBeMeasuredAnew(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || file == "documents.go" {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for i, line := range strings.Split(string(text), "\n") {
			if strings.Contains(line, "lists.Resolve(") && !goesOnWithout[strings.TrimSpace(line)] {
				t.Errorf("%s:%d reads a list otherwise than by names or items: %s", file, i+1, line)
			}
		}
	}
}

// goesOnWithout are the readers that go on without the list, as they say themselves.
var goesOnWithout = map[string]bool{
	"groups, errGroups := lists.Resolve(ctx, s.Store, asked.Groups)":          true,
	"topics, errTopics := lists.Resolve(ctx, s.Store, asked.Topics)":          true,
	"ordered, err := lists.Resolve(ctx, g.settings.Store, r.Ordered)":         true,
	"free, err := lists.Resolve(ctx, b.settings.Store, r.Free)":               true,
	"fenced, err := lists.Resolve(ctx, b.settings.Store, found.FencedGroups)": true, // written the line before
}
