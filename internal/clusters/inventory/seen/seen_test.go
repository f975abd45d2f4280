package seen

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/clusters/inventory/facts"
)

var (
	source = []string{"10.0.0.1:9876"}
	noon   = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
)

func client(id string) facts.Client {
	return facts.Client{Kind: facts.Consumer, Group: "billing", ID: id, Language: "JAVA", Version: 407}
}

func TestSeveralRunsAddToOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen.json")
	first, err := Open(path, source)
	require.NoError(t, err)
	first.Add([]facts.Client{client("a"), client("b")}, noon)
	first.Sends.Raise(100, noon)
	first.Behind("billing", 7, noon)
	require.NoError(t, first.Write(path))

	second, err := Open(path, source)
	require.NoError(t, err)
	later := noon.Add(3 * time.Hour)
	second.Add([]facts.Client{client("b"), client("c")}, later)
	second.Sends.Raise(50, later)
	second.Behind("billing", 9, later)
	require.NoError(t, second.Write(path))

	read, err := Open(path, source)
	require.NoError(t, err)
	require.Len(t, read.Clients, 3)
	assert.Equal(t, []time.Time{noon, noon}, []time.Time{read.Clients[0].First, read.Clients[0].Last}, "a is gone")
	assert.Equal(t, []time.Time{noon, later}, []time.Time{read.Clients[1].First, read.Clients[1].Last}, "b stays")
	assert.Equal(t, Peak{100, noon}, read.Sends, "the peak of all runs")
	assert.Equal(t, Peak{9, later}, read.Lag["billing"])
	assert.Equal(t, []time.Time{noon, later}, []time.Time{read.First, read.Last})
}

func TestAFileIsBounded(t *testing.T) {
	f := New(source)
	for round := range 3 {
		var now []facts.Client
		for i := range mostClients / 2 {
			now = append(now, client(fmt.Sprintf("%d-%05d", round, i)))
		}
		f.Add(now, noon.Add(time.Duration(round)*time.Hour))
	}
	require.Len(t, f.Clients, mostClients)
	assert.Equal(t, "1-00000", f.Clients[0].ID, "those that were seen last stay")
	for i := range mostGroups + 10 {
		f.Behind(fmt.Sprint(i), 1, noon)
	}
	assert.Len(t, f.Lag, mostGroups)
}

func TestFilesOfSomethingElseAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen.json")
	require.NoError(t, New([]string{"10.0.0.9:9876"}).Write(path))
	_, err := Open(path, source)
	require.ErrorContains(t, err, "is of the source [10.0.0.9:9876], not of [10.0.0.1:9876]")
	for text, want := range map[string]string{
		`{"version":2}`: "has version 2", "{": "isn't what rocketshift assess --observe wrote", "": "isn't what",
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err = Open(path, source)
		require.ErrorContains(t, err, want, text)
	}
	_, err = Open(t.TempDir(), source)
	require.ErrorContains(t, err, "read what was seen")
}
