package users

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
)

// How long stock clients have in seconds: for what comes, on a busy machine too, and for what must
// not come.
const (
	longWait  = 60
	shortWait = 12
)

// refusedSettings is what a gRPC client says when the proxy refuses its topics or its group.
const refusedSettings = "failed to sync settings"

// builtApplication is the stock client as a program: in this process it would write logs at once.
func builtApplication(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "application")
	out, err := exec.Command("go", "build", "-o", program, "./testdata/application").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return program
}

// requireStockClients has stock clients send and read on a target with their old keys.
func requireStockClients(t *testing.T, ctx context.Context, program string, target *lab.Cluster) {
	t.Helper()
	names, proxy := target.NameServers[0], target.ProxyGRPC
	for _, c := range []struct {
		who, kind, at string
		works         bool
	}{
		{"only-writes", "remoting-send", names, true},
		{"only-reads", "remoting-send", names, false},
		{"only-reads", "remoting-read", names, true},
		{"only-writes", "remoting-read", names, false},
		{"only-writes", "grpc-send", proxy, true},
		{"only-reads", "grpc-send", proxy, false},
		{"only-reads", "grpc-read", proxy, true},
		{"without-group", "grpc-read", proxy, false},
		{"from-here", "grpc-send", proxy, true},
	} {
		seconds := longWait
		if !c.works {
			seconds = shortWait
		}
		stop := func() {}
		if c.kind == "grpc-read" { // a new group may read only what comes after it has begun
			stop = keepSending(t, ctx, target)
		}
		said := runApplication(ctx, t, program, c.who, c.kind, c.at, seconds)
		stop()
		t.Logf("%s, %s: %s", c.who, c.kind, said)
		works := strings.HasPrefix(said, "done: ")
		if c.kind == "grpc-read" && c.works && !works && target.Spec().Version == "5.3.3" {
			// Brokers of 5.3.3 that authorise refuse every read of a proxy as too old
			// (TestLongBrokersThatAuthoriseReadsOfProxies): what the proxy takes from clients tells their rights.
			works = !strings.Contains(said, refusedSettings)
		}
		assert.Equal(t, c.works, works, "%s, %s: %s", c.who, c.kind, said)
	}
}

func runApplication(
	ctx context.Context, t *testing.T, program, who, kind, at string, seconds int,
) string {
	t.Helper()
	group := "billing"
	if kind == "grpc-read" {
		group = "by-grpc"
	}
	c := exec.CommandContext(ctx, program, kind, at, "orders", group, strconv.Itoa(seconds))
	keys := application{name: who}.credentials()
	c.Env = append(os.Environ(), "HOME="+t.TempDir(), "ROCKETMQ_GO_LOG_LEVEL=error",
		"ACCESS_KEY="+keys.AccessKey, "SECRET_KEY="+keys.SecretKey)
	out, _ := c.Output() // it fails where nothing came
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

// keepSending sends to all brokers until it is stopped.
func keepSending(t *testing.T, ctx context.Context, target *lab.Cluster) (stop func()) {
	t.Helper()
	client := clientOf(t, application{name: "only-writes"}.credentials())
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			for _, b := range target.Brokers {
				_, _ = client.Call(ctx, b.Addr, probes[0].build("orders", "")) // the reader tells whether it came
			}
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
	return func() { cancel(); <-ended }
}
