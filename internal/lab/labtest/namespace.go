package labtest

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"
)

// namespaceTime is for how long a namespace is asked for. A development server has been seen not to
// answer for tens of seconds, and to serve again.
const namespaceTime = 2 * time.Minute

// Namespace makes a namespace of the shared Temporal server for the test alone, whose name begins as
// given, and returns how clients reach it. Workers of other tests poll the same task queues
// elsewhere.
func Namespace(t testing.TB, begins string) client.Options {
	t.Helper()
	server := Temporal(t)
	at := client.Options{HostPort: server.Address, Namespace: begins + "-" + strings.ToLower(rand.Text()[:8])}
	namespaces, err := client.NewNamespaceClient(at)
	if err != nil {
		t.Fatal(err)
	}
	defer namespaces.Close()
	ctx, cancel := context.WithTimeout(t.Context(), namespaceTime)
	defer cancel()
	for {
		err := namespaces.Register(ctx, &workflowservice.RegisterNamespaceRequest{
			Namespace: at.Namespace, WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
		})
		if err == nil || strings.Contains(err.Error(), "already exists") { // an answer was late
			return at
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		t.Logf("namespace %s of the Temporal server at %s: %v", at.Namespace, server.Address, err)
		if ctx.Err() != nil {
			log, _ := os.ReadFile(filepath.Join(server.Dir, "temporal.log"))
			t.Fatalf("waited %s for the Temporal server to make a namespace; the end of its log:\n%s", namespaceTime,
				log[max(0, len(log)-4000):])
		}
	}
}
