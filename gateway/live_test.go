package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/certificates/certificatestest"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/keeper"
	"rocketshift/internal/lab/labtest"
)

func TestMain(m *testing.M) {
	if keeper.Asked(os.Args) {
		os.Exit(keeper.Main(os.Args))
	}
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	labtest.Main(m)
}

// certify writes a certificate for this machine, which signs itself, and its key.
func certify(t *testing.T, dir, name string) (file, keyFile string) {
	t.Helper()
	file, keyFile = filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key")
	certificatestest.Write(t, file, keyFile, name, time.Now().UnixNano())
	return file, keyFile
}

// The program as it is started: steered by callers that show a certificate, watched without a
// token, and on record.
func TestLiveAGatewayIsSteeredOverTLSAndWatched(t *testing.T) {
	source := labtest.Cluster(t, "4.9.7")
	const token = "a-token-of-the-tests"
	dir := t.TempDir()
	cert, key := certify(t, dir, "gateway")
	worker, workerKey := certify(t, dir, "worker")
	environment := map[string]string{"ROCKETSHIFT_GATEWAY_TOKEN": token}
	c := command(func(name string) string { return environment[name] })
	c.SetArgs([]string{
		"--name", "watched", "--source", source.NameServers[0], "--advertise", "127.0.0.1",
		"--listen", "127.0.0.1", "--name-server-port", "0", "--state", filepath.Join(dir, "state"),
		"--control", "127.0.0.1:0", "--control-tls-cert", cert, "--control-tls-key", key,
		"--control-client-ca", worker, "--metrics", "127.0.0.1:0",
		"--audit", filepath.Join(dir, "audit.log"),
	})
	says, out := io.Pipe()
	c.SetOut(out)
	c.SetErr(labtest.Output(t, "gateway"))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.ExecuteContext(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
	})
	var at struct{ Control, Metrics string }
	require.NoError(t, json.NewDecoder(says).Decode(&at))

	known := control.Access{Token: token, CA: cert, Cert: worker, Key: workerKey}
	client := control.NewClient("https://"+at.Control, known)
	state, err := client.State(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "watched", state.Gateway)
	_, err = control.NewClient("https://"+at.Control, control.Access{Token: token, CA: cert}).State(t.Context())
	require.ErrorContains(t, err, "doesn't take the caller's certificate")
	_, err = client.Move(t.Context(), control.Move{
		ID: "1", Kind: control.KindHome, To: "target",
		Topics: []string{"orders"},
	})
	require.ErrorContains(t, err, "hasn't been told a migration")

	for _, path := range []string{"/healthz", "/readyz", "/livez"} {
		assert.Equal(t, `{"gateway":"watched","state":"ready"}`+"\n", get(t, "http://"+at.Metrics+path))
	}
	metrics := get(t, "http://"+at.Metrics+"/metrics")
	for _, line := range []string{
		`rocketshift_gateway_moves_total{kind="home",result="refused"} 1`,
		`rocketshift_gateway_homes{side="target"} 0`, "rocketshift_gateway_epoch 0",
		`rocketshift_gateway_send_seconds_count{side="source"} 0`, "rocketshift_gateway_fenced 0",
		"process_open_fds ",
	} {
		assert.Contains(t, metrics, line)
	}
	record, err := os.Open(filepath.Join(dir, "audit.log"))
	require.NoError(t, err)
	defer record.Close()
	var lines []map[string]any
	for in := bufio.NewScanner(record); in.Scan(); {
		var line map[string]any
		require.NoError(t, json.Unmarshal(in.Bytes(), &line))
		lines = append(lines, line)
	}
	require.Len(t, lines, 2)
	assert.Equal(t, "CN=worker", lines[1]["caller"])
	assert.Equal(t, "refused", lines[1]["result"])
	assert.Equal(t, "watched", lines[1]["gateway"])
}

func get(t *testing.T, url string) string {
	t.Helper()
	answer, err := http.Get(url)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(text)
}
