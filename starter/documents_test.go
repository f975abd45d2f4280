package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/activities"
	"rocketshift/api"
	docs "rocketshift/internal/documents"
	"rocketshift/internal/failure"
	"rocketshift/starter/remote"
)

// inStore is a list of names that stands in a document of a worker with this home folder.
func inStore(t *testing.T, home string, names []string) api.Names {
	t.Helper()
	store, err := docs.New(activities.StoreFolder(home))
	require.NoError(t, err)
	content, err := json.Marshal(names)
	require.NoError(t, err)
	ref, err := store.Put(t.Context(), "orders", "groups", content)
	require.NoError(t, err)
	var list api.Names
	first, err := json.Marshal(names[1:2])
	require.NoError(t, err)
	text := fmt.Sprintf(
		`{"document":{"kind":"groups","migration":"orders","digest":%q,"bytes":%d},"from":1,"to":%d,"first":%s}`,
		ref.Digest, ref.Bytes, len(names), first,
	)
	require.NoError(t, json.Unmarshal([]byte(text), &list))
	return list
}

func TestJSONHasWholeListsWhereTheStoreIsReached(t *testing.T) {
	home := t.TempDir()
	names := make([]string, 2000)
	for i := range names {
		names[i] = fmt.Sprintf("billing-%04d", i)
	}
	list := inStore(t, home, names)
	asks := running(func(s *remote.Snapshot) {
		s.Waiting = []api.Waiting{{Kind: api.WaitingRelease, Gate: "groups", Groups: list, Text: "re-point"}}
	})
	var got struct {
		Waiting []struct{ Groups []string }
	}
	for name, env := range map[string]map[string]string{
		"in the home folder": {"ROCKETSHIFT_HOME": home},
		"where it is told":   {docs.Variable: activities.StoreFolder(home)},
	} {
		o := rocketshiftIn(t, &fake{looks: []look{{snapshot: asks}}}, "", env, "status", "orders", "-o", "json")
		require.NoError(t, json.Unmarshal([]byte(o.stdout), &got), name)
		assert.Equal(t, names[1:], got.Waiting[0].Groups, name)
		assert.Empty(t, o.stderr, name)
	}

	away := t.TempDir()
	o := rocketshiftIn(t, &fake{looks: []look{{snapshot: asks}}}, "", map[string]string{"ROCKETSHIFT_HOME": away},
		"status", "orders", "-o", "json")
	var reference struct {
		Waiting []struct {
			Groups struct {
				To    int
				First []string
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(o.stdout), &reference))
	assert.Equal(t, 2000, reference.Waiting[0].Groups.To)
	assert.Equal(t, []string{"billing-0001"}, reference.Waiting[0].Groups.First)
	assert.Contains(t, o.stderr, "1 lists stand in documents that can't be read from here")
	assert.Contains(t, o.stderr, docs.Variable)
	_, err := os.Stat(filepath.Join(away, ".run"))
	assert.ErrorIs(t, err, os.ErrNotExist, "looking makes no store")
}

func TestATableNamesTheFirstOfLongListsWithoutEscapes(t *testing.T) {
	names := []string{"x", "\x1b[2Jevil", "c"}
	list := inStore(t, t.TempDir(), names)
	o := rocketshift(t, &fake{looks: []look{{snapshot: running(func(s *remote.Snapshot) {
		s.Waves = []api.WaveStatus{{Step: 100, State: api.WaveGroups, Groups: list}}
	})}}}, "status", "orders")
	assert.Contains(t, o.stdout, `\x1b[2Jevil and 1 more`)
	assert.NotContains(t, o.stdout, "\x1b[2J")
}

func TestAPlanOfThousandsOfNamesIsRefusedBeforeItBegins(t *testing.T) {
	text := goodPlan + "groups:\n  include:\n"
	for i := range 2000 {
		text += fmt.Sprintf("  - billing-europe-%06d\n", i)
	}
	f := &fake{}
	o := rocketshift(t, f, "start", "-f", planFile(t, text))
	assert.Equal(t, failure.BadUsage, o.code)
	assert.Contains(t, o.stderr, "at most are 32768")
	assert.Empty(t, f.plans)
}
