package instance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rocketshift/internal/lab"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// Found is a local instance that somebody purchased on this machine.
type Found struct {
	Name        string   `json:"name"` // of its migration
	Folder      string   `json:"folder"`
	Version     string   `json:"version,omitempty"`
	NameServers []string `json:"nameServers,omitempty"`
	Processes   []int    `json:"processes,omitempty"` // ids of those that run
	Problem     string   `json:"problem,omitempty"`   // why it can't be used as it is
}

// List returns the local instances below the root, by name, with their processes.
func (l Local) List() ([]Found, error) {
	entries, err := os.ReadDir(filepath.Dir(l.dir("x")))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list local instances: %w", err)
	}
	var all []Found
	for _, e := range entries {
		if e.IsDir() {
			all = append(all, l.find(e.Name()))
		}
	}
	return all, nil
}

func (l Local) find(name string) Found {
	dir := l.dir(name)
	found := Found{Name: name, Folder: dir}
	var err error
	if found.Processes, err = lab.Processes(dir); err != nil {
		found.Problem = err.Error()
		return found
	}
	cluster, err := lab.Open(dir)
	switch {
	case errors.Is(err, lab.ErrNotRunning) && len(found.Processes) == 0:
		found.Problem = "stopped"
		return found
	case err != nil:
		found.Problem = err.Error()
		return found
	}
	found.Version, found.NameServers = cluster.Spec().Version, cluster.NameServers
	return found
}

// Remove ends the processes of an instance and deletes its folder with all messages. was is false
// for an instance that isn't there, which is no error.
func (l Local) Remove(ctx context.Context, name string) (was bool, err error) {
	if !plan.ValidName(name) { // it might lead out of the folder
		return false, fmt.Errorf("remove local instance %q: no migration can have that name", name)
	}
	if _, err := os.Stat(l.dir(name)); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	unlock, err := l.lock(ctx, name)
	if err != nil {
		return false, fmt.Errorf("remove local instance %s: %w", name, err)
	}
	defer unlock()
	if err := lab.StopDir(l.dir(name)); err != nil {
		return false, fmt.Errorf("remove local instance %s: %w", name, err)
	}
	if err := os.RemoveAll(l.dir(name)); err != nil {
		return false, fmt.Errorf("remove local instance %s: %w", name, err)
	}
	return true, nil
}

// Clients are the applications that are connected to the brokers of an instance, each with its
// address and group, by name; none if it doesn't run.
func (l Local) Clients(ctx context.Context, name string) ([]string, error) {
	cluster, err := lab.Open(l.dir(name))
	if errors.Is(err, lab.ErrNoCluster) || errors.Is(err, lab.ErrNotRunning) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("local instance %s: %w", name, err)
	}
	client := rocketmq.NewClient(rocketmq.Options{})
	defer client.Close()
	brokers, err := rocketmq.NewCluster(client, cluster.NameServers).Brokers(ctx)
	if err != nil {
		return nil, fmt.Errorf("local instance %s: %w", name, err)
	}
	seen := map[string]bool{}
	for _, b := range brokers {
		if err := connectedTo(ctx, client, b, seen); err != nil {
			return nil, fmt.Errorf("clients of local instance %s: %w", name, err)
		}
	}
	var all []string
	for text := range seen {
		all = append(all, text)
	}
	slices.Sort(all)
	return all, nil
}

func connectedTo(
	ctx context.Context, client *rocketmq.Client, b rocketmq.Broker, seen map[string]bool,
) error {
	add := func(group string, connections []rocketmq.Connection) {
		for _, c := range connections {
			if !ownClient(group) {
				seen[fmt.Sprintf("%s at %s, of group %s", c.ClientID, c.Addr, group)] = true
			}
		}
	}
	producers, err := client.Producers(ctx, b.Addr)
	if err != nil {
		return err
	}
	for group, connections := range producers {
		add(group, connections)
	}
	groups, err := client.Groups(ctx, b.Addr)
	if err != nil {
		return err
	}
	for group := range groups {
		if ownClient(group) {
			continue
		}
		found, err := client.ConsumerConnectionsOf(ctx, b.Addr, group)
		if err != nil {
			return err
		}
		add(group, found.Connections)
	}
	return nil
}

// ownClient reports whether a group is of the instance's own servers, or of rocketshift's lanes.
func ownClient(group string) bool {
	return rocketmq.SystemGroup(group) || strings.HasPrefix(group, "rocketshift-") ||
		strings.HasPrefix(group, "PROXY_") || strings.Contains(group, "INNER_PRODUCER")
}
