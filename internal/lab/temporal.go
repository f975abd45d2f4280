package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v4"
	"go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"rocketshift/api"
)

const (
	temporalStateFile = "temporal.json"
	temporalNamespace = "default"
	// temporalStart is how long the server may take: 2 s on an idle machine.
	temporalStart = 5 * time.Minute
	// temporalStop is how long it may take to end; it needs less than 1 s.
	temporalStop = 30 * time.Second
	// retention keeps finished migrations visible. The server's own default is one day.
	retention = 90 * 24 * time.Hour
)

// TemporalSpec says how to run a Temporal development server. Zero values mean a free port, and the
// defaults.
type TemporalSpec struct {
	IP       string // where it listens, default 127.0.0.1
	Port     int    // gRPC
	UIPort   int    // Web UI
	Detached bool   // the server outlives this process
}

// Temporal is a running Temporal development server.
type Temporal struct {
	Dir       string  `json:"-"`
	Address   string  `json:"address"`   // host:port of the gRPC frontend
	UIAddress string  `json:"uiAddress"` // http://host:port of the Web UI
	Metrics   string  `json:"metrics"`   // http://host:port/metrics: its own counters, that of actions among them
	Process   process `json:"process"`
}

// StartTemporal starts root's bin/temporal and returns when it serves, its namespace keeps finished
// workflows for 90 days, and the search attributes exist. Its database is a file in the folder dir,
// so a later start there goes on with the same workflows. A server that runs in the folder already
// is returned as it is.
func StartTemporal(ctx context.Context, root, dir string, spec TemporalSpec) (*Temporal, error) {
	program := filepath.Join(root, "bin", "temporal")
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("the Temporal program %s is missing: run \"make build\"", program)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("folder of Temporal: %w", err)
	}
	if running, err := OpenTemporal(dir); err == nil {
		return running, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("folder of Temporal: %w", err)
	}
	for try := 1; ; try++ {
		filled, more, err := spec.withPorts()
		if err != nil {
			return nil, err
		}
		t, err := launchTemporal(ctx, program, dir, filled, more)
		// Another program may have taken a port that was just free. Even if both ports are given,
		// two more are chosen each time.
		if err == nil || ctx.Err() != nil || try == startTries {
			return t, err
		}
	}
}

// withPorts fills in free ports and checks the given ones. more are the ports of the server's HTTP
// interface and of its metrics, which it would otherwise choose where other servers' ports may be.
func (s TemporalSpec) withPorts() (spec TemporalSpec, more []int, err error) {
	free, err := FreePorts(4)
	if err != nil {
		return s, nil, err
	}
	if s.IP == "" {
		s.IP = localhost
	}
	for i, port := range []*int{&s.Port, &s.UIPort} {
		if *port == 0 {
			*port = free[i] // not checked again: a program that checks ports at the same moment makes it seem taken
			continue
		}
		if !portFree(*port) {
			return s, nil, fmt.Errorf(
				"port %d, which Temporal should get, is in use: end the program that uses it, or choose another port",
				*port,
			)
		}
	}
	return s, free[2:], nil
}

func launchTemporal(ctx context.Context, program, dir string, spec TemporalSpec, more []int) (*Temporal, error) {
	args := []string{
		program, "server", "start-dev", "--ip", spec.IP,
		"--port", strconv.Itoa(spec.Port), "--ui-port", strconv.Itoa(spec.UIPort),
		"--http-port", strconv.Itoa(more[0]), "--metrics-port", strconv.Itoa(more[1]),
		"--db-filename", filepath.Join(dir, "temporal.db"),
	}
	for _, name := range api.SearchAttributes() {
		args = append(args, "--search-attribute", name+"=Keyword")
	}
	started, err := launch(
		command{args: args, dir: dir, log: filepath.Join(dir, "temporal.log"), detached: spec.Detached},
	)
	if err != nil {
		return nil, err
	}
	t := &Temporal{
		Dir: dir, Address: address(spec.Port), UIAddress: "http://" + address(spec.UIPort),
		Metrics: "http://" + address(more[1]) + "/metrics", Process: started.process,
	}
	if err := writeJSON(filepath.Join(dir, temporalStateFile), t); err != nil {
		started.gate.Close()
		return nil, err
	}
	if err := started.release(); err != nil {
		return nil, err
	}
	if err := t.awaitServed(ctx); err != nil {
		return nil, errors.Join(err, t.Kill())
	}
	return t, nil
}

// OpenTemporal finds the server that runs in the folder dir.
func OpenTemporal(dir string) (*Temporal, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("folder of Temporal: %w", err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, temporalStateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no Temporal server was started in %s", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("state of Temporal: %w", err)
	}
	t := &Temporal{Dir: dir}
	if err := json.Unmarshal(raw, t); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w: remove it", filepath.Join(dir, temporalStateFile), err)
	}
	if !t.Process.alive() {
		return nil, fmt.Errorf("the Temporal server of %s has ended: start it again", dir)
	}
	return t, nil
}

// Stop ends the server in good order and keeps its data.
func (t *Temporal) Stop() error { return t.Process.end(temporalStop) }

// Kill ends the server at once.
func (t *Temporal) Kill() error { return t.Process.end(0) }

func (t *Temporal) awaitServed(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, temporalStart)
	defer cancel()
	err := await(ctx, func() error {
		if !t.Process.alive() {
			return backoff.Permanent(errors.New("its process has ended"))
		}
		return t.prepare(ctx)
	})
	if err != nil {
		log := filepath.Join(t.Dir, "temporal.log")
		return fmt.Errorf("Temporal at %s does not serve: %w; the end of %s:\n%s", t.Address, err, log, tail(log))
	}
	return nil
}

// prepare sets up the namespace for migrations: the server has no option for the retention, and a
// database file keeps the settings of its first start.
func (t *Temporal) prepare(ctx context.Context) error {
	c, err := client.DialContext(ctx, client.Options{HostPort: t.Address, Logger: silent{}})
	if err != nil {
		return err
	}
	defer c.Close()
	known, err := c.OperatorService().ListSearchAttributes(ctx,
		&operatorservice.ListSearchAttributesRequest{Namespace: temporalNamespace})
	if err != nil {
		return err
	}
	missing := map[string]enums.IndexedValueType{}
	for _, name := range api.SearchAttributes() {
		if _, ok := known.GetCustomAttributes()[name]; !ok {
			missing[name] = enums.INDEXED_VALUE_TYPE_KEYWORD
		}
	}
	if len(missing) > 0 {
		if _, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
			Namespace: temporalNamespace, SearchAttributes: missing,
		}); err != nil {
			return err
		}
	}
	_, err = c.WorkflowService().UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{
		Namespace: temporalNamespace,
		Config:    &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(retention)},
	})
	return err
}

// silent keeps the client's messages about a starting server out of the caller's output.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}
