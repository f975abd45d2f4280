package gateway

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/certificates/certificatestest"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/controlserver"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/rocketmq/remoting"
)

// controlOf serves the control API of an idle gateway, and returns its address.
func controlOf(t *testing.T, c *controlserver.Server, at controlserver.At) string {
	t.Helper()
	at.Address = "127.0.0.1:0"
	listener, err := at.Listen(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- c.Serve(t.Context(), listener) }()
	t.Cleanup(func() { require.NoError(t, <-done) })
	return listener.Addr().String()
}

// doubts has a gateway not know how a round ended.
func doubts(g *Gateway) {
	g.rounds.FindOut(g.rounds.Reopen(&store.Part{Round: store.Round{ID: "doubted", Leader: "another"}}))
}

func newControl(t *testing.T) *controlserver.Server {
	t.Helper()
	c, err := controlserver.New(idle(t), testToken)
	require.NoError(t, err)
	return c
}

func TestTheControlAPIIsPlainOnNetworksOnlyIfSomebodySaysSo(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	_, err := controlserver.At{Address: "0.0.0.0:0"}.Listen(log)
	require.ErrorContains(t, err, "would be plain HTTP on a network")
	require.ErrorContains(t, err, "--control-insecure")
	_, err = controlserver.At{Address: ":0"}.Listen(log)
	require.ErrorContains(t, err, "would be plain HTTP on a network")
	dir := t.TempDir()
	file, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	certificatestest.Write(t, file, key, "gateway", 1)
	for name, at := range map[string]controlserver.At{
		"this machine": {Address: "127.0.0.1:0"}, "asked for": {Address: "0.0.0.0:0", Insecure: true},
		"TLS": {Address: "0.0.0.0:0", Cert: file, Key: key},
	} {
		listener, err := at.Listen(log)
		require.NoError(t, err, name)
		require.NoError(t, listener.Close())
	}
	for says, at := range map[string]controlserver.At{
		"belong together":          {Cert: file},
		"needs both":               {ClientCA: file},
		"holds no certificate":     {Cert: file, Key: key, ClientCA: key},
		"no such file":             {Cert: file, Key: key + ".none"},
		"failed to find any PEM":   {Cert: os.DevNull, Key: key},
		"can't listen on nowhere:": {Address: "nowhere:0"},
	} {
		_, err := at.Listen(log)
		require.ErrorContains(t, err, says)
	}
}

func TestTheControlAPIOverTLSAsksCallersForTheirCertificate(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	for i, name := range []string{"server", "worker", "stranger"} {
		certificatestest.Write(t, file(name+".crt"), file(name+".key"), "gateway", int64(i+1))
	}
	at := controlOf(t, newControl(t), controlserver.At{
		Cert: file("server.crt"), Key: file("server.key"),
		ClientCA: file("worker.crt"),
	})
	known := control.Access{Token: testToken, CA: file("server.crt"), Set: control.AccessSettings{
		CA:   "THE_CA",
		Cert: "THE_CERT",
	}}
	for name, c := range map[string]struct {
		address, as string
		ca          string
		says        string
	}{
		"with its certificate": {"https://" + at, "worker", known.CA, ""},
		"without": {
			"https://" + at, "", known.CA,
			"give one in THE_CERT that the gateway's --control-client-ca has signed",
		},
		"with another": {
			"https://" + at, "stranger", known.CA,
			"doesn't take the caller's certificate",
		},
		"an unknown gateway": {
			"https://" + at, "worker", file("stranger.crt"),
			"give its authority in THE_CA",
		},
		"in plain text": {at, "worker", known.CA, "it speaks TLS: call it at https://" + at},
		"no file": {
			"https://" + at, "worker", file("none"),
			"authorities of gateways: stat ",
		},
	} {
		access := known
		access.CA = c.ca
		if c.as != "" {
			access.Cert, access.Key = file(c.as+".crt"), file(c.as+".key")
		}
		s, err := control.NewClient(c.address, access).State(t.Context())
		if c.says == "" {
			require.NoError(t, err, name)
			require.Equal(t, "idle", s.Gateway)
			continue
		}
		require.ErrorContains(t, err, c.says, name)
		require.ErrorContains(t, err, at, name)
		require.NotContains(t, err.Error(), testToken)
	}
}

func TestProbesHearTheTruthWithoutAToken(t *testing.T) {
	steered := idle(t)
	c, err := controlserver.New(steered, testToken)
	require.NoError(t, err)
	at := "http://" + controlOf(t, c, controlserver.At{})
	probe := func(path string) (int, controlserver.Health) {
		answer, err := http.Get(at + path)
		require.NoError(t, err)
		defer answer.Body.Close()
		var h controlserver.Health
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&h))
		return answer.StatusCode, h
	}
	wants := func(path string, status int, state string) {
		t.Helper()
		got, h := probe(path)
		assert.Equal(t, status, got, path)
		assert.Equal(t, "idle", h.Gateway)
		assert.Equal(t, state, h.State, path)
		assert.Equal(t, state == controlserver.HealthReady, h.Reason == "", "what doesn't work is said")
	}
	paths := []string{"/healthz", "/readyz", "/livez"}
	for _, path := range paths {
		wants(path, 200, controlserver.HealthReady)
	}
	doubts(steered)
	for _, path := range paths {
		wants(path, 200, controlserver.HealthDoubt)
	}
	fences(steered)
	wants("/healthz", 503, controlserver.HealthFenced)
	wants("/readyz", 503, controlserver.HealthFenced)
	wants("/livez", 200, controlserver.HealthFenced)
}

func TestMetricsTellHowTheGatewayStands(t *testing.T) {
	g := idle(t)
	q := g.table.Topics.Ensure("orders")
	q.Ensure("broker-a", 3)
	q.Queue([]byte("broker-a"), 1).SetHome(routing.Target, q.Queue([]byte("broker-a"), 1).Shift())
	g.table.Groups.Get([]byte("billing")).Of(q.Queue([]byte("broker-a"), 0))
	g.clients.figures.panics.Add(2)
	_, err := g.Move(t.Context(), control.Move{})
	require.ErrorIs(t, err, control.ErrRefused)
	s := newSession(g.clients, &port{}, nobody{})
	f := frameOf(t, remoting.CodeSendV2)
	h := routing.NewHold()
	require.True(t, h.Park(s, f))
	values := func() map[string]float64 {
		all, err := g.Metrics().Gather()
		require.NoError(t, err)
		got := map[string]float64{}
		for _, family := range all {
			for _, m := range family.GetMetric() {
				key := family.GetName()
				for _, l := range m.GetLabel() {
					key += " " + l.GetValue()
				}
				got[key] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
		return got
	}
	got := values()
	for key, wanted := range map[string]float64{
		"homes source": 2, "homes target": 1, "views source": 1, "panics_total": 2, "moves_total other " +
			"refused": 1, "held_sends": 1,
		"fenced": 0, "in_doubt": 0,
	} {
		assert.InDelta(t, wanted, got["rocketshift_gateway_"+key], 0, key)
	}
	assert.Positive(t, got["go_goroutines"])
	fences(g)
	doubts(g)
	got = values()
	assert.InDelta(t, 1, got["rocketshift_gateway_fenced"], 0)
	assert.InDelta(t, 1, got["rocketshift_gateway_in_doubt"], 0)
}

func TestGatewaysCallEachOtherOverTLS(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	certificatestest.Write(t, file("b.crt"), file("b.key"), "gateway", 1)
	certificatestest.Write(t, file("a.crt"), file("a.key"), "gateway", 2)
	at := controlOf(t, newControl(t), controlserver.At{
		Cert: file("b.crt"), Key: file("b.key"),
		ClientCA: file("a.crt"),
	})
	a := idle(t)
	a.config.Token = testToken
	a.config.Peers = control.Access{
		CA: file("b.crt"), Cert: file("a.crt"), Key: file("a.key"),
		Set: control.AccessSettings{Plain: "--control-insecure"},
	}
	is, err := remoteParticipant{a.clientOf(control.Peer{Name: "b", Control: "https://" + at})}.Replica(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "idle", is.Gateway)
	require.NoError(t,
		remoteParticipant{a.clientOf(control.Peer{Name: "b", Control: "https://" + at})}.Abort(t.Context(), "1"))
	_, err = remoteParticipant{a.clientOf(control.Peer{Name: "c", Control: "10.0.0.3:8089"})}.Replica(t.Context())
	require.ErrorContains(t, err, "--control-insecure",
		"the token doesn't go over a network in plain text here either")
}
