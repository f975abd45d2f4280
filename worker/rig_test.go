package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
)

// gatewayToken is the token of the cells' gateways.
const gatewayToken = "a-token-of-the-interventions"

// rig is what many migrations share: brokers of both sides, a Temporal server on its file, and a
// worker with barriers.
type rig struct {
	*testing.T
	ctx            context.Context
	root           string
	bin            string // folder of the programs
	barriers       string // folder
	home           string // the worker's
	source, target *lab.Cluster
	temporal       *lab.Temporal
	client         client.Client
	rocket         *rocketmq.Client
	worker         *program
	said           io.Writer // of the worker
}

// newRig builds the programs and starts a Temporal server and a worker. The target may be killed
// where it is the test's own.
func newRig(t *testing.T, target *lab.Cluster) *rig {
	t.Helper()
	labtest.NeedsServers(t)
	root, err := lab.Root()
	require.NoError(t, err)
	s := &rig{
		T: t, ctx: t.Context(), root: root, barriers: t.TempDir(),
		home: t.TempDir(), target: target, said: labtest.Output(t, "worker"),
	}
	s.bin, err = programsOf(root)
	require.NoError(t, err)
	s.source = labtest.Cluster(t, "4.9.7")
	dir := filepath.Join(root, ".run", "tests", fmt.Sprintf("interventions-%d-%d", os.Getpid(), time.Now().UnixNano()))
	s.temporal, err = lab.StartTemporal(s.ctx, root, dir, lab.TemporalSpec{})
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = s.temporal.Kill()
		_ = os.RemoveAll(dir)
	})
	s.client, err = client.Dial(client.Options{
		HostPort: s.temporal.Address, Logger: log.NewStructuredLogger(labtest.Log(t, "Temporal's SDK")),
	})
	require.NoError(t, err)
	t.Cleanup(s.client.Close)
	s.rocket = rocketmq.NewClient(rocketmq.Options{})
	t.Cleanup(s.rocket.Close)
	t.Cleanup(func() {
		if s.worker != nil {
			s.worker.kill()
		}
	})
	require.NoError(t, s.startWorker())
	return s
}

// programsOf builds the programs of what is tested, once for all tests of this binary. Their folder
// is removed with those that killed tests left.
var programsOf = func() func(root string) (string, error) {
	var once sync.Once
	var dir string
	var failed error
	return func(root string) (string, error) {
		once.Do(func() {
			dir = filepath.Join(root, ".run", "tests", fmt.Sprint("programs-", os.Getpid()))
			for name, folder := range map[string]string{
				"rocketshift": "starter", "rocketshift-gateway": "gateway",
				"rocketshift-demo-app": "demo/app",
			} {
				out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name),
					"rocketshift/"+folder).CombinedOutput()
				if err != nil {
					failed = fmt.Errorf("build %s: %w: %s", name, err, out)
				}
			}
		})
		return dir, failed
	}
}()

func (s *rig) environment() []string {
	return []string{
		"TEMPORAL_ADDRESS=" + s.temporal.Address, "ROCKETSHIFT_HOME=" + s.home,
		"ROCKETSHIFT_METRICS=off", "ROCKETSHIFT_GATEWAY_TOKEN=" + gatewayToken,
	}
}

func (s *rig) startWorker() error {
	env := append(s.environment(), asWorker+"="+s.barriers)
	started, err := spawnProgram(s.said, "worker ready", env, os.Args[0])
	if err != nil { // the clean-up ends the one before
		return err
	}
	s.worker = started
	_, err = started.awaitReady(s.ctx)
	return err
}

// killWorkerFor leaves no worker for a while.
func (s *rig) killWorkerFor(span time.Duration) error {
	s.worker.kill()
	if err := s.openBarriers(); err != nil {
		return err
	}
	time.Sleep(span) // that there is none for so long is what is tested
	return s.startWorker()
}

// openBarriers lets all activities go on that wait now.
func (s *rig) openBarriers() error {
	files, err := os.ReadDir(s.barriers)
	for _, f := range files {
		if filepath.Ext(f.Name()) != ".reached" {
			err = errors.Join(err, os.Remove(filepath.Join(s.barriers, f.Name())))
		}
	}
	return err
}

// killTemporal ends the server by kill -9 and starts it on its file and ports.
func (s *rig) killTemporal() error {
	spec, err := portsOf(s.temporal)
	if err != nil {
		return err
	}
	if err := s.temporal.Kill(); err != nil {
		return err
	}
	if err := s.openBarriers(); err != nil { // activities end while nobody takes their results
		return err
	}
	again, err := lab.StartTemporal(s.ctx, s.root, s.temporal.Dir, spec)
	if err == nil { // else the ended one stays, for the clean-up
		s.temporal = again
	}
	return err
}

func portsOf(t *lab.Temporal) (spec lab.TemporalSpec, err error) {
	_, port, err := net.SplitHostPort(t.Address)
	if err != nil {
		return spec, err
	}
	ui, err := url.Parse(t.UIAddress)
	if err != nil {
		return spec, err
	}
	if spec.Port, err = strconv.Atoi(port); err != nil {
		return spec, err
	}
	spec.UIPort, err = strconv.Atoi(ui.Port())
	return spec, err
}

// killTarget ends all brokers of the target by kill -9.
func (s *rig) killTarget() error {
	for _, b := range s.target.Brokers {
		if err := s.target.KillBroker(b.Name); err != nil {
			return err
		}
	}
	return nil
}

func (s *rig) startTarget() error {
	for _, b := range s.target.Brokers {
		if err := s.target.StartBroker(s.ctx, b.Name); err != nil {
			return err
		}
	}
	return nil
}

// rocketshift runs the command line, as people do. Exit code 3 only tells that it waits.
func (s *rig) rocketshift(args ...string) error {
	cmd := exec.CommandContext(s.ctx, filepath.Join(s.bin, "rocketshift"), args...)
	cmd.Env = append(os.Environ(), s.environment()...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState.ExitCode() != 3 {
		return fmt.Errorf("rocketshift %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// update sends an update to a workflow and waits for its end.
func (s *rig) update(ctx context.Context, id, name string, message any) error {
	handle, err := s.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: id, UpdateName: name, Args: []any{message},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return err
	}
	return handle.Get(ctx, nil)
}
