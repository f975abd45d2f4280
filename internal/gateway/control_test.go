package gateway

import (
	"cmp"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/controlserver"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// idle is a gateway without clusters, for what needs none.
func idle(t *testing.T) *Gateway {
	t.Helper()
	g := bare(Config{Name: "idle"})
	t.Cleanup(g.stop)
	var err error
	g.state, err = store.Open(t.TempDir())
	require.NoError(t, err)
	return g
}

// bare is a gateway that has begun nothing, with no servers.
func bare(c Config) *Gateway {
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	if c.NameServers == nil {
		c.NameServers = []string{"127.0.0.1:1"}
	}
	return newGateway(c, [2]rocketmq.Dial{})
}

func TestTheControlAPILetsNobodyInWithoutItsToken(t *testing.T) {
	_, err := controlserver.New(idle(t), "short")
	require.ErrorContains(t, err, "less than 16 bytes")
	c, err := controlserver.New(idle(t), testToken)
	require.NoError(t, err)
	server := httptest.NewServer(c.Handler())
	t.Cleanup(server.Close)
	call := func(method, path, token, body string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
		require.NoError(t, err)
		if token != "" {
			r.Header.Set("Authorization", token)
		}
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return answer.StatusCode, string(text)
	}
	for _, c := range []struct {
		method, path, token, body string
		status                    int
		says                      string
	}{
		{"GET", "/v1/state", "", "", 401, "the token is missing or wrong"},
		{"GET", "/v1/state", "Bearer another-token-of-16", "", 401, "the token is missing or wrong"},
		{"GET", "/v1/state", testToken, "", 401, "the token is missing or wrong"},
		{"GET", "/healthz", "", "", 200, `"idle"`},
		{"GET", "/v1/state", "Bearer " + testToken, "", 200, `"authority":"source"`},
		{"POST", "/v1/moves", "Bearer " + testToken, `{"id":"1","too":"target"}`, 400, `unknown field \"too\"`},
		{"POST", "/v1/moves", "Bearer " + testToken, `{} {}`, 400, "more behind the JSON object"},
		{"POST", "/v1/moves", "Bearer " + testToken, `{}`, 409, "a move needs an id"},
		{"POST", "/v1/moves", "Bearer " + testToken, `{"id":"1","to":"moon"}`, 409, `to is \"moon\"`},
		{"POST", "/v1/moves", "Bearer " + testToken, `{"id":"1","to":"target","budget":"5s"}`, 409, "at most " +
			"2.5s is possible"},
		{"POST", "/v1/moves", "Bearer " + testToken, `{"id":"1","to":"target","epoch":7}`, 409, "asked for " +
			"in epoch 7, and it is epoch 0"},
		{"POST", "/v1/moves", "Bearer " + testToken, `{"id":"1","to":"target","kind":"home"}`, 409, "hasn't " +
			"been told a migration"},
		{"GET", "/v1/moves/1", "Bearer " + testToken, "", 404, "isn't known"},
		{"PUT", "/v1/migration", "Bearer " + testToken, `{"name":"m"}`, 409, "must be given"},
	} {
		status, text := call(c.method, c.path, c.token, c.body)
		assert.Equal(t, c.status, status, "%+v", c)
		assert.Contains(t, text, c.says)
		assert.NotContains(t, text, testToken)
	}
}

func TestWhatWasDecidedIsThereAfterARestart(t *testing.T) {
	g := idle(t)
	q := g.table.Topics.Ensure("orders")
	q.Ensure("broker-a", 2)
	one := q.Queue([]byte("broker-a"), 1)
	one.SetHome(routing.Target, one.Shift())
	one.SetHome(one.At(), -7)
	lane := lane.Lane{
		Topic:  "orders",
		Index:  1,
		Source: lane.Queue{Broker: "broker-a", ID: 1},
		Target: lane.Queue{Broker: "new", ID: 3},
	}
	one.SetLane(&lane)
	v := g.table.Groups.Get([]byte("billing")).Of(one)
	g.apply(
		&store.Outcome{
			Epoch:     5,
			Authority: "target",
			Views:     []store.View{afterMove(v, routing.Target, replicas.Step{Next: 10, There: 3})},
		},
	)
	require.NoError(t, g.save())

	dir := filepath.Dir(g.state.Path)
	next := idle(t)
	var err error
	next.state, err = store.Open(dir)
	require.NoError(t, err)
	next.restore(next.state.Last())
	got := next.table.Topics.Get([]byte("orders")).Queue([]byte("broker-a"), 1)
	assert.Equal(t, routing.Target, got.At())
	assert.EqualValues(t, -7, got.Shift())
	require.NotNil(t, got.Lane(), "a gateway that begins while the target is away knows where its sends go to")
	assert.Equal(t, lane, *got.Lane())
	assert.Equal(t, routing.Target, next.table.Authority())
	assert.EqualValues(t, 5, next.moves.epoch.Load())
	view := next.table.Groups.Get([]byte("billing")).Of(got)
	assert.Equal(t, routing.Target, view.Reads())
	assert.EqualValues(t, 3, nativeOf(view, routing.Target, 10))
	assert.True(t, next.table.AnythingOnTarget())

	require.NoError(t, os.WriteFile(g.state.Path, []byte("{"), 0o600))
	_, err = store.Open(dir)
	require.ErrorContains(t, err, "without it nobody knows where homes and groups are")
}

func frameOf(t *testing.T, code int) *wire.Frame {
	t.Helper()
	var f wire.Frame
	require.NoError(t, f.Parse(wire.AppendRequest(nil, code, 1, 0, []string{"b", "orders", "e", "0"}, nil)))
	return &f
}

// Where the target's name servers know several clusters, the one that the plan names is meant.
func TestATargetIsTheClusterThatTheMigrationNames(t *testing.T) {
	now := control.Migration{NameServers: []string{"127.0.0.1:9876"}, Cluster: "Five"}
	require.True(t, now.SameTarget(now))
	for what, change := range map[string]func(*control.Migration){
		"cluster":      func(m *control.Migration) { m.Cluster = "Other" },
		"name servers": func(m *control.Migration) { m.NameServers = nil },
		"proxy":        func(m *control.Migration) { m.Proxy = "127.0.0.1:8080" },
	} {
		next := now
		change(&next)
		require.False(t, now.SameTarget(next), what)
	}
}
