package assess

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/clusters/inventory/seen"
	"rocketshift/internal/rocketmq/remotingtest"
)

// shop is a fake of a source with one member.
func shop() *remotingtest.Cluster {
	return &remotingtest.Cluster{
		Name: "C4", Broker: "broker-a", Version: "4.9.7",
		Topics: map[string]remotingtest.Topic{
			"orders": {Read: 1, Write: 1, Perm: 6, Held: map[int][2]int64{0: {0, 10}}},
		},
		Groups: map[string]bool{"billing": true}, Offsets: map[string]map[int]int64{"orders@billing": {0: 3}},
		Members: map[string]string{
			"billing": `{"connectionSet":[{"clientAddr":"10.0.0.1:1","clientId":"c1","language":"JAVA",` +
				`"version":407}],"messageModel":"CLUSTERING","subscriptionTable":{"orders":{"subString":"*"}}}`,
		},
	}
}

func observer(t *testing.T, path string, span time.Duration) *Run {
	t.Helper()
	f := Flags{From: []string{shop().Start(t)}, Observe: span, Seen: path}
	p, err := f.Plan()
	require.NoError(t, err)
	r, err := New(p, f, func(string) (string, bool) { return "", false }, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(r.Close)
	return r
}

func TestObservationKeepsWhoWasSeenAndHowFarGroupsAreBehind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen.json")
	r := observer(t, path, 300*time.Millisecond)
	require.NoError(t, r.Observe(t.Context(), time.Now, func(string) {}))
	file, err := seen.Open(path, r.Plan.Source.NameServers)
	require.NoError(t, err)
	require.Len(t, file.Clients, 1)
	c := file.Clients[0]
	assert.Equal(t, []string{"consumer", "billing", "c1", "JAVA"}, []string{c.Kind, c.Group, c.ID, c.Language})
	assert.Equal(t, []string{"orders"}, c.Topics)
	assert.WithinDuration(t, time.Now(), c.Last, time.Minute)
	assert.EqualValues(t, 7, file.Lag["billing"].Value)
	assert.Positive(t, file.Watched)
}

func TestAnObservationThatIsEndedKeepsWhatItSaw(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen.json")
	r := observer(t, path, time.Hour)
	ctx, end := context.WithCancel(t.Context())
	require.NoError(t, r.Observe(ctx, time.Now, func(string) { end() }), "a person ends it after the first look")
	file, err := seen.Open(path, r.Plan.Source.NameServers)
	require.NoError(t, err)
	require.Len(t, file.Clients, 1)
}

func TestAnObservationOfNothingFailsAtOnce(t *testing.T) {
	f := Flags{From: []string{"127.0.0.1:1"}, Observe: time.Hour, Seen: filepath.Join(t.TempDir(), "seen.json")}
	p, err := f.Plan()
	require.NoError(t, err)
	r, err := New(p, f, func(string) (string, bool) { return "", false }, t.TempDir())
	require.NoError(t, err)
	t.Cleanup(r.Close)
	require.ErrorContains(t, r.Observe(t.Context(), time.Now, func(string) {}), "127.0.0.1:1")
}
