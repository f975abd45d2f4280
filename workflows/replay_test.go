package workflows

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"rocketshift/api"
	"rocketshift/internal/lab/labtest"
)

// TestRecordedHistoriesReplay runs today's code over the histories of real migrations
// (CONTRIBUTING.md says how they are recorded). A change of the order of commands fails here before
// it blocks a running migration.
func TestRecordedHistoriesReplay(t *testing.T) {
	files, err := filepath.Glob("testdata/replay/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files, "no recorded histories: run `make fixtures`")
	seen := map[string]bool{}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			replayer := worker.NewWorkflowReplayer()
			Register(replayer, true)
			require.NoError(t,
				replayer.ReplayWorkflowHistoryFromJSONFile(log.NewStructuredLogger(labtest.Log(t, "replay")), file))
		})
		for _, kind := range append([]string{api.RollbackType}, stageOrder...) {
			if matched, _ := filepath.Match("*-"+slugOf(kind)+".json", filepath.Base(file)); matched {
				seen[kind] = true
			}
		}
	}
	require.Len(t, seen, len(stageOrder)+1, "a history of every stage is recorded; there are: %v", seen)
	_, err = os.Stat("testdata/replay/done-migration.json")
	require.NoError(t, err, "the parent's history is recorded")
}
