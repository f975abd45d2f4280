package lab

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
)

// KillBroker ends a broker at once, as a crash would.
func (c *Cluster) KillBroker(name string) error {
	s, err := c.server(roleBroker, name)
	if err != nil {
		return err
	}
	return s.Process.end(0)
}

// StopBroker ends a broker in good order, as an operator would.
func (c *Cluster) StopBroker(name string) error {
	s, err := c.server(roleBroker, name)
	if err != nil {
		return err
	}
	return s.Process.end(stopTime)
}

// StartBroker starts a broker that has ended, on the same ports and data, and returns when it
// serves.
func (c *Cluster) StartBroker(ctx context.Context, name string) error {
	return c.startAgain(ctx, roleBroker, name)
}

// MoveBroker gives a broker that has ended another port. StartBroker then starts it at another
// address, like a slave that takes over.
func (c *Cluster) MoveBroker(name string) error {
	s, err := c.server(roleBroker, name)
	if err != nil {
		return err
	}
	if s.Process.alive() {
		return fmt.Errorf("broker %s of cluster %s runs: end it before it moves", name, c.state.Spec.Name)
	}
	ports, err := FreePorts(1)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.state.Servers {
		if c.state.Servers[i].Role == roleBroker && c.state.Servers[i].Name == name {
			c.state.Servers[i].Port = ports[0]
		}
	}
	for i := range c.Brokers {
		if c.Brokers[i].Name == name {
			c.Brokers[i].Addr = address(ports[0])
		}
	}
	return c.state.save(c.Dir)
}

// StoreDir is where a broker keeps its messages and positions.
func (c *Cluster) StoreDir(name string) string { return filepath.Join(c.Dir, name, "store") }

// SuspendBroker freezes a broker and returns when it has stopped: its port accepts connections, but
// nothing answers.
func (c *Cluster) SuspendBroker(name string) error {
	s, err := c.server(roleBroker, name)
	if err != nil {
		return err
	}
	return s.Process.freeze()
}

// ContinueBroker lets a frozen broker go on.
func (c *Cluster) ContinueBroker(name string) error {
	s, err := c.server(roleBroker, name)
	if err != nil {
		return err
	}
	return s.Process.signal(syscall.SIGCONT)
}

// StopNameServer ends the name server at once; it keeps no data.
func (c *Cluster) StopNameServer() error { return c.endAll(roleNameServer, 0) }

// StartNameServer starts the name server on the same port and returns when all live brokers are
// registered again, which takes them up to 10 s.
func (c *Cluster) StartNameServer(ctx context.Context) error {
	return c.startAgain(ctx, roleNameServer, nameServerName)
}

func (c *Cluster) startAgain(ctx context.Context, r role, name string) error {
	s, err := c.server(r, name)
	if err != nil {
		return err
	}
	if !s.Process.alive() {
		if err := c.launchAll([]server{s}); err != nil {
			return err
		}
	}
	return c.awaitServed(ctx, s)
}
