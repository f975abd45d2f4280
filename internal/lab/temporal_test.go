package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"rocketshift/api"
)

func startTemporal(t *testing.T, dir string, spec TemporalSpec) *Temporal {
	t.Helper()
	testFiles(t) // only to skip with -short
	root, err := Root()
	require.NoError(t, err)
	server, err := StartTemporal(testContext(t), root, dir, spec)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Kill()) })
	return server
}

func dialTemporal(t *testing.T, server *Temporal) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: server.Address, Logger: silent{}})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func TestLiveTemporalIsReadyForMigrationsAndKeepsThemOverItsDeath(t *testing.T) {
	ctx, dir := testContext(t), t.TempDir()
	server := startTemporal(t, dir, TemporalSpec{})
	c := dialTemporal(t, server)

	namespaces, err := client.NewNamespaceClient(client.Options{HostPort: server.Address, Logger: silent{}})
	require.NoError(t, err)
	defer namespaces.Close()
	namespace, err := namespaces.Describe(ctx, temporalNamespace)
	require.NoError(t, err)
	require.Equal(t, retention, namespace.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())

	page, err := http.Get(server.UIAddress)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, page.StatusCode)
	require.NoError(t, page.Body.Close())

	_, err = c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: "migration-x", TaskQueue: "nobody",
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword("RocketshiftStage").ValueSet("Assess")),
	}, "Migration")
	require.NoError(t, err)

	same := startTemporal(t, dir, TemporalSpec{})
	require.Equal(t, server.Process, same.Process, "a server that runs in the folder should be kept")

	require.NoError(t, server.Kill())
	_, err = OpenTemporal(dir)
	require.ErrorContains(t, err, "has ended: start it again")
	again := startTemporal(t, dir, TemporalSpec{})
	found, err := dialTemporal(t, again).DescribeWorkflowExecution(ctx, "migration-x", "")
	require.NoError(t, err)
	require.Equal(t, "Migration", found.GetWorkflowExecutionInfo().GetType().GetName())
}

// The server has two ports that nobody gives: somebody may take one of them before it listens.
func TestLiveTemporalIsStartedAgainWhereAPortWasTaken(t *testing.T) {
	testFiles(t) // only to skip with -short
	root, err := Root()
	require.NoError(t, err)
	own := t.TempDir()
	tried := filepath.Join(own, "tried")
	require.NoError(t, os.Mkdir(filepath.Join(own, "bin"), 0o755))
	script := fmt.Sprintf("#!/bin/sh\nif [ ! -e '%s' ]; then : >'%s'; exit 1; fi\nexec '%s' \"$@\"\n",
		tried, tried, filepath.Join(root, "bin", "temporal"))
	require.NoError(t, os.WriteFile(filepath.Join(own, "bin", "temporal"), []byte(script), 0o755))
	ports, err := FreePorts(2)
	require.NoError(t, err)
	server, err := StartTemporal(testContext(t), own, t.TempDir(), TemporalSpec{Port: ports[0], UIPort: ports[1]})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Kill()) })
	require.FileExists(t, tried)
	require.Equal(t, address(ports[0]), server.Address)
}

// The server adds search attributes only to a namespace that it makes, so an older database file
// lacks them.
func TestLiveTemporalGetsSearchAttributesThatItsDatabaseLacks(t *testing.T) {
	ctx, server := testContext(t), startTemporal(t, t.TempDir(), TemporalSpec{})
	operator := dialTemporal(t, server).OperatorService()
	_, err := operator.RemoveSearchAttributes(ctx, &operatorservice.RemoveSearchAttributesRequest{
		Namespace: temporalNamespace, SearchAttributes: api.SearchAttributes()[:1],
	})
	require.NoError(t, err)

	require.NoError(t, await(ctx, func() error {
		if _, there := attributes(t, server)[api.SearchAttributes()[0]]; there {
			return errors.New(api.SearchAttributes()[0] + " is still there")
		}
		return nil
	}))

	require.NoError(t, server.prepare(ctx))
	for _, name := range api.SearchAttributes() {
		require.Contains(t, attributes(t, server), name)
	}
}

func attributes(t *testing.T, server *Temporal) map[string]enums.IndexedValueType {
	t.Helper()
	known, err := dialTemporal(t, server).OperatorService().ListSearchAttributes(testContext(t),
		&operatorservice.ListSearchAttributesRequest{Namespace: temporalNamespace})
	require.NoError(t, err)
	return known.GetCustomAttributes()
}

func TestLiveTemporalPortInUseIsOneSentence(t *testing.T) {
	testFiles(t)
	listener, err := net.Listen("tcp", localhost+":0")
	require.NoError(t, err)
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	root, err := Root()
	require.NoError(t, err)
	_, err = StartTemporal(context.Background(), root, t.TempDir(), TemporalSpec{UIPort: port})
	require.EqualError(t, err, "port "+strconv.Itoa(port)+
		", which Temporal should get, is in use: end the program that uses it, or choose another port")
}

func TestTemporalProgramMissingIsOneSentence(t *testing.T) {
	root := t.TempDir()
	_, err := StartTemporal(context.Background(), root, t.TempDir(), TemporalSpec{})
	require.EqualError(t, err, "the Temporal program "+root+`/bin/temporal is missing: run "make build"`)
}
