package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

var errPortTaken = errors.New("another program took its port")

// bringUp starts the servers that don't run, and returns when all serve. The name server is first,
// since a broker that doesn't find it tries again only after 10 s. The proxy is last, since it ends
// when it finds no broker.
func (c *Cluster) bringUp(ctx context.Context) error {
	for _, r := range []role{roleNameServer, roleBroker, roleProxy} {
		if err := c.startRole(ctx, r); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state.Served = true
	return c.state.save(c.Dir)
}

func (c *Cluster) startRole(ctx context.Context, r role) error {
	servers := c.servers(r)
	ended := slices.DeleteFunc(slices.Clone(servers), func(s server) bool { return s.Process.alive() })
	if err := c.launchAll(ended); err != nil {
		return err
	}
	for _, s := range servers {
		if err := c.awaitServed(ctx, s); err != nil {
			return fmt.Errorf("%s %s does not serve: %w", s.Role, s.Name, err)
		}
	}
	return nil
}

// launchAll starts servers at the same time. Their ids are on disk before any of them does
// anything, so that a killed program leaves no unknown process.
func (c *Cluster) launchAll(servers []server) error {
	started := make(map[string]*launched, len(servers))
	defer func() {
		for _, l := range started {
			l.gate.Close()
		}
	}()
	for _, s := range servers {
		l, err := c.launch(s)
		if err != nil {
			return err
		}
		started[s.Name] = l
	}
	if err := c.remember(started); err != nil {
		return err
	}
	if c.state.Spec.gated != nil {
		c.state.Spec.gated()
	}
	for _, l := range started {
		if err := l.release(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) launch(s server) (*launched, error) {
	for _, port := range s.ports() {
		if !portFree(port) {
			return nil, fmt.Errorf("%s %s: port %d: %w", s.Role, s.Name, port, errPortTaken)
		}
	}
	if err := c.writeConfig(s); err != nil {
		return nil, err
	}
	args, err := c.javaArgs(s)
	if err != nil {
		return nil, err
	}
	// The log begins anew, since readiness is read from it.
	if err := os.Rename(c.log(s), c.log(s)+".before"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("log of %s: %w", s.Name, err)
	}
	return launch(command{
		args: args, dir: filepath.Join(c.Dir, s.Name), log: c.log(s), detached: c.state.Spec.Detached,
	})
}

func (c *Cluster) log(s server) string { return filepath.Join(c.Dir, s.Name, "server.log") }

func (c *Cluster) remember(started map[string]*launched) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, s := range c.state.Servers {
		if l := started[s.Name]; l != nil {
			c.state.Servers[i].Process = l.process
		}
	}
	return c.state.save(c.Dir)
}

func (c *Cluster) server(r role, name string) (server, error) {
	for _, s := range c.servers(r) {
		if s.Name == name {
			return s, nil
		}
	}
	var names []string
	for _, s := range c.servers(r) {
		names = append(names, s.Name)
	}
	return server{}, fmt.Errorf("cluster %s has no %s %s, only %s", c.state.Spec.Name, r, name,
		strings.Join(names, ", "))
}

// tail returns the last lines of a log.
func tail(file string) string {
	const lines = 8
	raw, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// Logs returns the end of every server's log, for a failed test's output.
func (c *Cluster) Logs() string {
	var text strings.Builder
	for _, r := range []role{roleNameServer, roleBroker, roleProxy} {
		for _, s := range c.servers(r) {
			fmt.Fprintf(&text, "the end of %s:\n%s\n", c.log(s), tail(c.log(s)))
		}
	}
	return text.String()
}
