package apsara

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"rocketshift/internal/lab"
)

// Servers are what instances consist of.
type Servers interface {
	// Start provides an instance's servers, and returns when they serve.
	Start(ctx context.Context, id string) (Serving, error)
	// Stop ends them; it is no error if they don't run.
	Stop(id string) error
}

// Serving is where an instance serves.
type Serving struct {
	Endpoint string // host:port, of its proxy
	Username string // of the instance
}

// None are no servers: endpoints are made up.
type None struct{}

// Start makes an endpoint up.
func (None) Start(_ context.Context, id string) (Serving, error) {
	return Serving{Endpoint: strings.ToLower(id) + "-vpc.rmq.invalid:8080", Username: "lab"}, nil
}

// Stop does nothing.
func (None) Stop(string) error { return nil }

// Lab backs each instance by a cluster of the lab, whose proxy is the endpoint: RocketMQ 5.3.3 with
// ACL 2.0.
type Lab struct {
	Files lab.Files
	Dir   string // a folder for each instance is below it
	// Admin is the account of every instance; nil: everybody may do everything.
	Admin *lab.Account

	mu sync.Mutex
	on map[string]*lab.Cluster
}

// Version is that of instances' servers.
const Version = "5.3.3"

// Start starts a cluster.
func (l *Lab) Start(ctx context.Context, id string) (Serving, error) {
	cluster, err := lab.Start(ctx, l.Files, filepath.Join(l.Dir, id), lab.ClusterSpec{
		Name: "apsara-" + id, Version: Version, Proxy: true, Admin: l.Admin,
		Config: map[string]string{"enableMixedMessageType": "true"},
	})
	if err != nil {
		return Serving{}, fmt.Errorf("servers of instance %s: %w", id, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.on == nil {
		l.on = map[string]*lab.Cluster{}
	}
	l.on[id] = cluster
	serving := Serving{Endpoint: cluster.ProxyRemoting}
	if l.Admin != nil {
		serving.Username = l.Admin.AccessKey
	}
	return serving, nil
}

// Stop kills an instance's servers.
func (l *Lab) Stop(id string) error {
	l.mu.Lock()
	cluster := l.on[id]
	delete(l.on, id)
	l.mu.Unlock()
	if cluster == nil {
		return nil
	}
	return cluster.Kill()
}

// Cluster are the servers of an instance; nil if none serve.
func (l *Lab) Cluster(id string) *lab.Cluster {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.on[id]
}
