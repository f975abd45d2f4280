package gateway

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/store"
)

// writtenState is a state as a gateway writes it.
func writtenState(t *testing.T) (dir, text string) {
	t.Helper()
	dir = t.TempDir()
	f, err := store.Open(dir)
	require.NoError(t, err)
	require.NoError(t, f.Save(func() store.State {
		return store.State{
			Epoch:     3,
			Ports:     map[string]int{"@": freePort(t)},
			Authority: "target",
			Homes:     []store.Home{{Topic: "orders", Broker: "broker-a", Queue: 1, Home: "target", Shift: 7}},
			Views: []store.View{
				{
					Group:  "billing",
					Topic:  "orders",
					Broker: "broker-a",
					Queue:  1,
					Side:   "source",
					Shift:  [2]int64{0, 7},
					Proved: 9,
				},
			},
		}
	}))
	raw, err := os.ReadFile(f.Path)
	require.NoError(t, err)
	return dir, string(raw)
}

func TestAStateThatIsNotAsItWasWrittenIsNotGoneBy(t *testing.T) {
	_, text := writtenState(t)
	for name, c := range map[string]struct{ text, says string }{
		"nothing":          {"", "EOF"},
		"null":             {"null", "no ports"},
		"an empty one":     {"{}", "no ports"},
		"half of one":      {text[:len(text)/2], "unexpected EOF"},
		"two":              {text + text, "text after the state"},
		"a misspelt key":   {strings.Replace(text, `"homes"`, `"home"`, 1), "unknown field"},
		"a home elsewhere": {strings.Replace(text, `"home":"target"`, `"home":"source"`, 1), "checksum"},
		"no checksum any more": {
			`{"ports":{},"homes":[],"views":[],"brokers":{"source":{"broker-a":["a:1"]}}}`, "its checksum is missing",
		},
		"an unknown side":    {`{"epoch":1,"ports":{},"homes":[],"views":[{"group":"g","side":"taget"}]}`, `the side of group g`},
		"an unknown home":    {`{"epoch":1,"ports":{},"homes":[{"topic":"t","home":""}],"views":[]}`, `source or target is possible`},
		"a queue below 0":    {`{"ports":{},"homes":[{"topic":"t","queue":-1,"home":"target"}]}`, `queue /-1 of topic t`},
		"a view of too much": {`{"ports":{},"homes":[],"views":[{"topic":"t","queue":2147483647,"side":"target"}]}`, `numbers from 0 to 16383`},
		"a lane to nowhere":  {`{"ports":{},"lanes":[{"topic":"t","target":{"broker":"b","id":-1}}]}`, `queue b/-1 of topic t`},
		"an open round": {
			`{"ports":{},"open":{"round":{"queues":[{"topic":"t","broker":"b","id":-1}]},"outcome":{}}}`,
			`queue b/-1 of topic t`,
		},
		"an open outcome": {
			`{"ports":{},"open":{"round":{},"outcome":{"homes":[{"topic":"t","broker":"b","queue":-1,"home":"source"}]}}}`,
			`queue b/-1 of topic t`,
		},
		"an unknown decider": {`{"epoch":1,"ports":{},"homes":[],"views":[],"authority":"both"}`, `the authority is "both"`},
	} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "gateway.json"), []byte(c.text), 0o600))
		_, err := store.Open(dir)
		require.ErrorContains(t, err, c.says, name)
		assert.ErrorContains(t, err, "so it doesn't start", name)
	}
}

func TestAStateOfBeforeHasNoChecksum(t *testing.T) {
	dir := t.TempDir()
	const text = `{"epoch":1,"ports":{"@":9876},"targets":[],"homes":[{"topic":"orders","broker":"broker-a","queue":1,"home":"target","shift":7}],"views":[]}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "gateway.json"), []byte(text), 0o600))
	f, err := store.Open(dir)
	require.NoError(t, err)
	assert.EqualValues(t, 7, f.Last().Homes[0].Shift)
}

// Two processes that decide by one folder would undo each other's decisions.
func TestAFolderIsOneGatewaysAlone(t *testing.T) {
	dir := t.TempDir()
	one, err := lockFolder(dir)
	require.NoError(t, err)
	_, err = lockFolder(dir)
	require.ErrorContains(t, err, "another process uses the folder "+dir)
	require.NoError(t, one.Close())
	again, err := lockFolder(dir)
	require.NoError(t, err, "it is free when that process has ended")
	require.NoError(t, again.Close())
}
