package gateway

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/certificates/certificatestest"
	gatewayaudit "rocketshift/internal/gateway/audit"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/controlserver"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

func lines(t *testing.T, path string) (all []map[string]any) {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	for in := bufio.NewScanner(file); in.Scan(); {
		var line map[string]any
		require.NoError(t, json.Unmarshal(in.Bytes(), &line))
		all = append(all, line)
	}
	return all
}

func TestCallsThatChangeSomethingAreOnRecord(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	certificatestest.Write(t, file("server.crt"), file("server.key"), "gateway", 1)
	record, err := gatewayaudit.Open(file("audit.log"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = record.Close() })
	c := newControl(t)
	c.Audit(record)
	tls := controlserver.At{Cert: file("server.crt"), Key: file("server.key"), ClientCA: file("server.crt")}
	client := control.NewClient("https://"+controlOf(t, c, tls), control.Access{
		Token: testToken, CA: tls.Cert,
		Cert: tls.Cert, Key: tls.Key,
	})
	_, err = client.State(t.Context())
	require.NoError(t, err)
	require.Empty(t, lines(t, file("audit.log")), "who looks changes nothing")

	_, err = client.Move(t.Context(), control.Move{
		ID: "m-1", Kind: control.KindHome, To: "target",
		Topics: []string{"orders"}, Reason: "why",
	})
	require.ErrorContains(t, err, "hasn't been told a migration")
	_, err = client.Use(t.Context(), control.Migration{Name: "shop"})
	require.ErrorContains(t, err, "must be given")
	_, err = remoteParticipant{client}.Prepare(t.Context(), store.Round{ID: "r-1", Kind: control.KindHome, To: "moon"})
	require.ErrorContains(t, err, "a side to go to")
	require.ErrorContains(t, remoteParticipant{client}.Ready(t.Context(), "r-2", store.Outcome{}), "takes no part")
	require.ErrorContains(t, remoteParticipant{client}.Commit(t.Context(), "r-3"), "takes no part")
	require.NoError(t, remoteParticipant{client}.Abort(t.Context(), "r-4"))

	var seen []string
	for _, line := range lines(t, file("audit.log")) {
		assert.Equal(t, true, line["audit"])
		assert.Equal(t, "CN=gateway", line["caller"])
		assert.Contains(t, line["client"], "127.0.0.1:")
		assert.NotEmpty(t, line["request"])
		assert.NotEmpty(t, line["time"])
		assert.EqualValues(t, 0, line["epoch"])
		result, _ := line["result"].(string)
		seen = append(seen, strings.TrimSpace(line["msg"].(string)+" "+line["what"].(string)+" "+result))
	}
	assert.Equal(t, []string{
		"asked move", "ended move refused", "asked migration", "ended migration refused", "asked round " +
			"prepare",
		"ended round prepare refused", "ended round ready refused", "ended round commit " +
			"refused", "ended round abort done",
	}, seen)
	all := lines(t, file("audit.log"))
	assert.Equal(t, all[0]["request"], all[1]["request"])
	for key, value := range map[string]any{
		"id": "m-1", "kind": "home", "to": "target",
		"reason": "why", "topics": []any{"orders"},
	} {
		assert.Equal(t, value, all[0][key])
	}
	assert.Contains(t, all[1]["cause"], "hasn't been told a migration")
}

func TestAChangeThatCantBeRecordedIsRefused(t *testing.T) {
	full, err := gatewayaudit.Open("/dev/full")
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	c := newControl(t)
	c.Audit(full)
	client := control.NewClient(controlOf(t, c, controlserver.At{}), control.Access{Token: testToken})
	var refusal *control.RefusedError
	_, err = client.Move(t.Context(), control.Move{
		ID: "m-1", Kind: control.KindHome, To: "target",
		Topics: []string{"orders"},
	})
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, http.StatusServiceUnavailable, refusal.Status)
	require.ErrorContains(t, err, "nothing was changed, as it can't be recorded who asks for it")
	_, err = client.Use(t.Context(), control.Migration{Name: "shop"})
	require.ErrorContains(t, err, "can't be recorded")
	_, err = remoteParticipant{client}.Prepare(t.Context(), store.Round{ID: "r-1"})
	require.ErrorContains(t, err, "can't be recorded")
	require.NoError(t, remoteParticipant{client}.Abort(t.Context(), "r-4"), "how a round ends is everybody's")
	_, err = client.State(t.Context())
	require.NoError(t, err)
}

func TestARequestHasOneNameFromItsCallerOn(t *testing.T) {
	c := newControl(t)
	at := "http://" + controlOf(t, c, controlserver.At{})
	named := func(id string) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at+"/v1/state", nil)
		require.NoError(t, err)
		r.Header.Set("X-Request-Id", id)
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, answer.Body)
		require.NoError(t, answer.Body.Close())
		return answer.Header.Get("X-Request-Id")
	}
	assert.Equal(t, "mine-1", named("mine-1"))
	for _, id := range []string{"", "with space", strings.Repeat("x", 65)} {
		got := named(id)
		assert.NotEmpty(t, got)
		assert.NotEqual(t, id, got)
	}
}

func TestTheEndOfARoundIsOnRecordWithItsEpochs(t *testing.T) {
	all, queues := idlePair(t)
	path := filepath.Join(t.TempDir(), "audit.log")
	record, err := gatewayaudit.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = record.Close() })
	c, err := controlserver.New(all[1], testToken)
	require.NoError(t, err)
	c.Audit(record)
	other := remoteParticipant{control.NewClient(controlOf(t, c, controlserver.At{}), control.Access{Token: testToken})}
	prepare(t, other, all[1], homeRound("1", 2*time.Second))
	require.NoError(t, other.Ready(t.Context(), "1", homeOutcome))
	require.NoError(t, other.Commit(t.Context(), "1"))
	require.Equal(t, routing.Target, queues[1].At())
	written := lines(t, path)
	require.GreaterOrEqual(t, len(written), 3)
	last := written[len(written)-1]
	for key, value := range map[string]any{
		"msg": "ended", "what": "round commit", "id": "1", "result": "done", "epochBefore": 0., "epoch": 1.,
		"caller": "token", "gateway": "b",
	} {
		assert.Equal(t, value, last[key], key)
	}
	first := written[0]
	assert.Equal(t, []any{"orders broker-a/0"}, first["queueNames"])
	assert.Equal(t, "a", first["leader"])
}
