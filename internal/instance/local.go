package instance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v4"

	"rocketshift/api"
	"rocketshift/internal/lab"
	"rocketshift/plan"
)

// lockPoll is how often a caller looks whether another one has finished with the instance; starting
// takes seconds.
const lockPoll = 100 * time.Millisecond

// Local runs the target on the worker's own machine: a name server, brokers and a proxy, one folder
// per migration below .run/instances. It outlives the worker. Its data stays until somebody removes
// the folder.
type Local struct {
	Root string // holds .run, and .cache with the jars
	// Settings, if given, returns lines of the brokers' configuration when these are made. They
	// replace the provider's own lines, except for those that it needs itself.
	Settings func(context.Context) (map[string]string, error)
}

// Describe returns the instance of the plan, and whether it runs. An instance that has ended is
// returned, with false.
func (l Local) Describe(_ context.Context, p plan.Plan) (api.Instance, bool, error) {
	cluster, err := lab.Open(l.dir(p.Name))
	switch {
	case errors.Is(err, lab.ErrNoCluster), errors.Is(err, lab.ErrNotRunning):
		return api.Instance{
			Provider: plan.ProviderLocal,
			Name:     p.Name,
			Version:  p.WithDefaults().Target.Version,
		}, false, nil
	case err != nil:
		return api.Instance{}, false, fmt.Errorf("local instance %s: %w", p.Name, err)
	}
	return describe(p.Name, cluster), true, nil
}

// Purchase starts the plan's instance, or those of its servers that don't run, and returns when all
// serve.
func (l Local) Purchase(ctx context.Context, p plan.Plan) (api.Instance, error) {
	p = p.WithDefaults()
	unlock, err := l.lock(ctx, p.Name)
	if err != nil {
		return api.Instance{}, fmt.Errorf("local instance %s: %w", p.Name, err)
	}
	defer unlock()
	cluster, err := l.provide(ctx, p)
	if err != nil {
		return api.Instance{}, fmt.Errorf("local instance %s: %w", p.Name, err)
	}
	return describe(p.Name, cluster), nil
}

func (l Local) provide(ctx context.Context, p plan.Plan) (*lab.Cluster, error) {
	dir := l.dir(p.Name)
	cluster, err := lab.Open(dir)
	switch {
	case errors.Is(err, lab.ErrNoCluster):
		return l.start(ctx, p)
	case errors.Is(err, lab.ErrNotRunning):
		cluster, err = lab.Restart(ctx, dir)
	}
	if err != nil {
		return nil, err
	}
	is := cluster.Spec()
	if is.Version != p.Target.Version || is.Brokers != p.Target.Brokers {
		return nil, fmt.Errorf(
			"it runs RocketMQ %s with %d brokers, the plan says %s with %d: change the plan, or release it "+
				"and remove %s",
			is.Version,
			is.Brokers,
			p.Target.Version,
			p.Target.Brokers,
			dir,
		)
	}
	return cluster, nil
}

func (l Local) start(ctx context.Context, p plan.Plan) (*lab.Cluster, error) {
	files, err := lab.FindFiles(l.Root)
	if err != nil {
		return nil, err
	}
	config := map[string]string{}
	if l.Settings != nil {
		if config, err = l.Settings(ctx); err != nil {
			return nil, err
		}
	}
	// A 4.x topic may hold messages of several types; brokers take such a topic only with this.
	config["enableMixedMessageType"] = "true"
	return lab.Start(ctx, files, l.dir(p.Name), lab.ClusterSpec{
		// Brokers make a topic with the cluster's name, so the name must not be one that a user's
		// topic may have.
		Name:     "rocketshift-" + p.Name,
		Version:  p.Target.Version,
		Brokers:  p.Target.Brokers,
		Proxy:    true,
		Detached: true,
		Config:   config,
	})
}

// Release ends the instance's processes. Its data stays, so a later Purchase starts it again.
func (l Local) Release(ctx context.Context, name string) error {
	unlock, err := l.lock(ctx, name)
	if err != nil {
		return fmt.Errorf("release local instance %s: %w", name, err)
	}
	defer unlock()
	if err := lab.StopDir(l.dir(name)); err != nil {
		return fmt.Errorf("release local instance %s: %w", name, err)
	}
	return nil
}

func (l Local) dir(name string) string { return filepath.Join(l.Root, ".run", "instances", name) }

// lock keeps all others, in this process and in other processes, from the instance until unlock is
// called or this process ends.
func (l Local) lock(ctx context.Context, name string) (unlock func(), err error) {
	file := l.dir(name) + ".lock"
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	err = backoff.Retry(func() error {
		err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err != nil && !errors.Is(err, syscall.EWOULDBLOCK) {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(backoff.NewConstantBackOff(lockPoll), ctx))
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("%s, which another worker may hold: %w", file, err)
	}
	return func() { lock.Close() }, nil // closing gives the lock back
}

func describe(name string, cluster *lab.Cluster) api.Instance {
	spec := cluster.Spec()
	return api.Instance{
		Provider: plan.ProviderLocal, Name: name, NameServers: cluster.NameServers, ProxyGRPC: cluster.ProxyGRPC,
		Version: spec.Version, Cluster: spec.Name,
	}
}
