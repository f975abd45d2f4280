package driver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"rocketshift/internal/instance"
	"rocketshift/internal/lab"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

const (
	targetVersion = plan.DefaultVersion
	// workerStart is how long a worker may take to poll.
	workerStart = 2 * time.Minute
	// endGrace is how long programs get to end in good order when nothing depends on it any more.
	endGrace = 5 * time.Second
)

// prepare checks what is needed and clears what an earlier run left.
func (d *demo) prepare(ctx context.Context) error {
	var err error
	if d.files, err = check(d.o.Root); err != nil {
		return err
	}
	if d.lock, err = lockRun(d.dir+".lock", "a demo runs already"); err != nil {
		return err
	}
	if err := d.endTarget(ctx); err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(d.dir), os.RemoveAll(d.targetDir())); err != nil {
		return fmt.Errorf("clear the last run: %w", err)
	}
	return os.MkdirAll(filepath.Join(d.dir, "apps"), 0o755)
}

// lockRun keeps a second run with the same folder away; taken is what is the case then. The lock
// ends with the process.
func lockRun(path, taken string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s (%s is locked): wait for its end or stop it by Ctrl-C", taken, path)
	}
	return f, nil
}

func (d *demo) target() instance.Local { return instance.Local{Root: d.o.Root} }

func (d *demo) targetDir() string { return filepath.Join(d.o.Root, ".run", "instances", d.o.Name) }

// startServers starts the embedded Temporal and the source cluster, then the worker.
func (d *demo) startServers(ctx context.Context) error {
	d.console.say("starting Temporal and a RocketMQ %s cluster with %d brokers", sourceVersion, sourceBrokers)
	starting, both := errgroup.WithContext(ctx)
	starting.Go(func() (err error) {
		d.temporal, err = lab.StartTemporal(both, d.o.Root, filepath.Join(d.dir, "temporal"), lab.TemporalSpec{})
		return err
	})
	starting.Go(func() (err error) {
		d.source, err = lab.Start(both, d.files, filepath.Join(d.dir, "source"), sourceSpec())
		return err
	})
	if err := starting.Wait(); err != nil {
		return err
	}
	d.console.say("Temporal Web UI: %s; source name server: %v", d.temporal.UIAddress, d.source.NameServers)
	d.rocket = rocketmq.NewClient(rocketmq.Options{})
	var err error
	if d.sdk, err = client.DialContext(ctx, client.Options{HostPort: d.temporal.Address, Logger: noLog{}}); err != nil {
		return fmt.Errorf("connect to Temporal at %s: %w", d.temporal.Address, err)
	}
	return d.startWorker(ctx)
}

// sourceSpec is the cluster that is migrated.
func sourceSpec() lab.ClusterSpec {
	return lab.ClusterSpec{
		Name: "Source", Version: sourceVersion, Brokers: sourceBrokers, BrokerNames: []string{"source-a", "source-b"},
	}
}

// env is how programs of the project find Temporal and the project.
func (d *demo) env() []string {
	return []string{
		"TEMPORAL_ADDRESS=" + d.temporal.Address, "ROCKETSHIFT_HOME=" + d.o.Root,
		"ROCKETSHIFT_REPORTS=" + filepath.Join(d.dir, "reports"), "ROCKETSHIFT_GATEWAY_TOKEN=" + gatewayToken,
	}
}

func (d *demo) bin(name string) string { return filepath.Join(d.o.Root, "bin", name) }

func (d *demo) startWorker(ctx context.Context) error {
	d.workers++
	log := filepath.Join(d.dir, fmt.Sprintf("worker-%d.log", d.workers))
	p, err := spawn("worker", log, "worker ready", d.env(), d.bin("rocketshift-worker"))
	if err != nil {
		return err
	}
	d.worker = p
	return p.awaitReady(ctx, workerStart)
}

// end stops everything that the run started; the worker first, so that it starts nothing new.
func (d *demo) end(ctx context.Context) error {
	var errs []error
	if d.lock == nil {
		return nil
	}
	if d.fleet != nil {
		d.fleet.kill()
	}
	for _, p := range []*process{d.worker, d.gateway} {
		if p != nil && p.alive() {
			_ = p.stop(endGrace) // it may be in the middle of something that ends now
		}
	}
	if d.sdk != nil {
		d.sdk.Close()
	}
	if d.rocket != nil {
		d.rocket.Close()
	}
	errs = append(errs, d.endTarget(ctx))
	if d.source != nil {
		errs = append(errs, d.source.Kill())
	}
	if d.temporal != nil {
		errs = append(errs, d.temporal.Stop())
	}
	d.console.say("everything is stopped; logs and ledgers stay in %s until the next run", d.dir)
	return errors.Join(append(errs, d.lock.Close())...)
}

// endTarget ends the target, which outlives workers by design. Its data is thrown away, so it needs
// no time to say goodbye; one that was started only in part is ended by its provider.
func (d *demo) endTarget(ctx context.Context) error {
	if cluster, err := lab.Open(d.targetDir()); err == nil {
		return cluster.Kill()
	}
	return d.target().Release(ctx, d.o.Name)
}

// noLog keeps the SDK's log out of the demo's output.
type noLog struct{}

func (noLog) Debug(string, ...any) {}
func (noLog) Info(string, ...any)  {}
func (noLog) Warn(string, ...any)  {}
func (noLog) Error(string, ...any) {}
