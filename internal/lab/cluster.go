package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// stopTime is how long a broker may take to end in good order: 7 s (4.9.7) to 12 s (5.3.3) on an
// idle machine, nearly all of it fixed waits of its own, and more on one that is busy.
const stopTime = time.Minute

// startTries is how often Start tries other ports, if another program has taken those that were
// just free.
const startTries = 3

// BrokerProc is a broker of a cluster.
type BrokerProc struct {
	Name string
	Addr string // host:port
}

// Cluster is a running cluster. Its methods may be called concurrently.
type Cluster struct {
	Dir         string
	NameServers []string
	Brokers     []BrokerProc
	// they have their masters' names, followed by "-slave"; methods that take a broker's name also
	// take theirs
	Slaves        []BrokerProc
	ProxyGRPC     string // host:port, empty without a proxy
	ProxyRemoting string // host:port, empty without a proxy

	mu    sync.Mutex // guards state and its file
	state state
}

// Start starts a new cluster in the folder dir and returns when it serves. What an earlier,
// interrupted Start left in the folder is cleaned up first; a folder with a cluster that has served
// is refused.
func Start(ctx context.Context, files Files, dir string, spec ClusterSpec) (*Cluster, error) {
	return start(ctx, files, dir, spec, FreePorts)
}

func start(
	ctx context.Context,
	files Files,
	dir string,
	spec ClusterSpec,
	freePorts func(int) ([]int, error),
) (*Cluster, error) {
	spec = spec.withDefaults()
	if err := spec.validate(); err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("folder of the cluster: %w", err)
	}
	for try := 1; ; try++ {
		if err := removeUnfinished(dir); err != nil {
			return nil, err
		}
		servers, err := spec.servers(freePorts)
		if err != nil {
			return nil, err
		}
		c := newCluster(dir, state{Spec: spec, Files: files, Servers: servers})
		err = c.bringUp(ctx)
		if err == nil {
			return c, nil
		}
		err = errors.Join(err, c.Kill())
		if !errors.Is(err, errPortTaken) || try == startTries {
			return nil, fmt.Errorf("start cluster %s in %s: %w", spec.Name, dir, err)
		}
	}
}

// removeUnfinished ends and removes a cluster whose start was interrupted.
func removeUnfinished(dir string) error {
	s, err := loadState(dir)
	if errors.Is(err, ErrNoCluster) {
		return nil
	}
	if err != nil {
		return err
	}
	if s.Served {
		return fmt.Errorf("%s holds the cluster %s already: open or restart it, or remove the folder", dir, s.Spec.Name)
	}
	errs := []error{newCluster(dir, s).Kill()}
	for _, server := range s.Servers {
		errs = append(errs, os.RemoveAll(filepath.Join(dir, server.Name)))
	}
	return errors.Join(append(errs, os.Remove(filepath.Join(dir, stateFile)))...)
}

// Restart opens the cluster in the folder dir and starts those of its servers that don't run: same
// ports, same data.
func Restart(ctx context.Context, dir string) (*Cluster, error) {
	c, err := load(dir)
	if err != nil {
		return nil, err
	}
	if err := c.bringUp(ctx); err != nil {
		return nil, fmt.Errorf("restart cluster %s in %s: %w", c.state.Spec.Name, dir, err)
	}
	return c, nil
}

// Open finds the cluster that runs in the folder dir. Errors: ErrNoCluster, ErrNotRunning.
func Open(dir string) (*Cluster, error) {
	c, err := load(dir)
	if err != nil {
		return nil, err
	}
	if err := c.state.running(); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return c, nil
}

// load reads a cluster that has served.
func load(dir string) (*Cluster, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("folder of the cluster: %w", err)
	}
	s, err := loadState(dir)
	if err != nil {
		return nil, err
	}
	if !s.Served {
		return nil, fmt.Errorf("%s: %w: it was started, but never served", dir, ErrNoCluster)
	}
	return newCluster(dir, s), nil
}

func newCluster(dir string, s state) *Cluster {
	c := &Cluster{Dir: dir, state: s}
	for _, server := range s.Servers {
		switch server.Role {
		case roleNameServer:
			c.NameServers = append(c.NameServers, address(server.Port))
		case roleBroker:
			broker := BrokerProc{Name: server.Name, Addr: address(server.Port)}
			if server.SlaveOf != "" {
				c.Slaves = append(c.Slaves, broker)
			} else {
				c.Brokers = append(c.Brokers, broker)
			}
		case roleProxy:
			c.ProxyRemoting, c.ProxyGRPC = address(server.Port), address(server.GRPC)
		}
	}
	return c
}

// Spec returns what the cluster was started with, defaults filled in.
func (c *Cluster) Spec() ClusterSpec { return c.state.Spec }

// Stop ends the cluster's processes in good order and keeps its data. It takes as long as a broker
// takes: about 10 s.
func (c *Cluster) Stop() error { return c.stop(stopTime) }

// Kill ends the cluster's processes at once. Acknowledged messages stay, since the kernel has them.
// The consumer offsets of the last seconds are lost.
func (c *Cluster) Kill() error { return c.stop(0) }

// StopDir ends what was started in the folder dir, even if it was started only in part or by
// another program. An empty folder is no error.
func StopDir(dir string) error {
	s, err := loadState(dir)
	if errors.Is(err, ErrNoCluster) {
		return nil
	}
	if err != nil {
		return err
	}
	return newCluster(dir, s).Stop()
}

// stop ends brokers before the name server, where they sign off.
func (c *Cluster) stop(grace time.Duration) error {
	return errors.Join(
		c.endAll(roleProxy, 0), // it keeps nothing, so it needs no time
		c.endAll(roleBroker, grace),
		c.endAll(roleNameServer, 0))
}

// endAll ends all servers of a role at the same time.
func (c *Cluster) endAll(r role, grace time.Duration) error {
	servers := c.servers(r)
	errs := make([]error, len(servers))
	var ends sync.WaitGroup
	for i, server := range servers {
		ends.Go(func() {
			if err := server.Process.end(grace); err != nil {
				errs[i] = fmt.Errorf("end %s %s: %w", server.Role, server.Name, err)
			}
		})
	}
	ends.Wait()
	return errors.Join(errs...)
}

func (c *Cluster) servers(r role) []server {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []server
	for _, server := range c.state.Servers {
		if server.Role == r {
			found = append(found, server)
		}
	}
	return found
}
