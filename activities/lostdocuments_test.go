package activities

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/rocketmq/remotingtest"
	"rocketshift/plan"
)

// Somebody removes the store's folder while a migration runs: names of the inventory, and what it
// found, are measured anew, and stand under the same names again.
func TestDocumentsThatTheStoreLostAreMeasuredAnew(t *testing.T) {
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
	r := Request{Bounded: true, Plan: plan.Plan{
		Name: "lost", Source: plan.Cluster{NameServers: []string{source.Start(t)}},
		Target: plan.Target{Provider: plan.ProviderExisting, NameServers: []string{target.Start(t)}},
	}.WithDefaults()}
	var inventory api.Inventory
	require.NoError(t, ask(t, NewAssess(settings), "Assess", r, &inventory))
	groups := inventory.Groups()
	require.NotNil(t, groups.Document(), "they are too many for a history")

	files, err := filepath.Glob(filepath.Join(StoreFolder(settings.Root), "lost", "*.json"))
	require.NoError(t, err)
	require.Greater(t, len(files), 2)
	for _, file := range files {
		require.NoError(t, os.Remove(file))
	}
	fresh := Settings{
		Root:     settings.Root,
		Clusters: settings.Clusters,
	}.withDefaults() // another worker, which remembers nothing
	var names []string
	require.NoError(t, ask(t, NewAssess(fresh), "ReadNames", NamesRequest{r, groups.Cut(100, 103)}, &names))
	assert.Equal(t, []string{"group-0100", "group-0101", "group-0102"}, names)
	var waves []Wave
	require.NoError(t, ask(t, NewAssess(fresh), "PlanWaves", WavesRequest{r, inventory}, &waves))
	assert.Len(t, waves, 3)
}
