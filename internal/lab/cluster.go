package lab

import (
	"context"
)

// ClusterSpec says which cluster to run.
type ClusterSpec struct {
	Name        string            `json:"name"`                  // broker cluster name
	Version     string            `json:"version"`               // of the jars, such as 4.9.7
	Brokers     int               `json:"brokers"`               // 1..8, default 1
	BrokerNames []string          `json:"brokerNames,omitempty"` // default broker-a, broker-b, ...
	Proxy       bool              `json:"proxy,omitempty"`       // 5.x only
	Config      map[string]string `json:"config,omitempty"`      // more lines for broker.conf; they win over the lab's
	Detached    bool              `json:"detached,omitempty"`    // the processes outlive this one
}

// BrokerProc is a broker of a cluster.
type BrokerProc struct {
	Name string
	Addr string // host:port
}

// Cluster is a running cluster.
type Cluster struct {
	Dir           string
	NameServers   []string
	Brokers       []BrokerProc
	ProxyGRPC     string // host:port, empty without a proxy
	ProxyRemoting string // host:port, empty without a proxy
}

// Start starts a cluster in the folder dir and returns when it serves.
func Start(ctx context.Context, files Files, dir string, spec ClusterSpec) (*Cluster, error) {
	panic("stub")
}

// Restart starts what is not running of the cluster in the folder dir: same ports, same data.
func Restart(ctx context.Context, files Files, dir string) (*Cluster, error) { panic("stub") }

// Open finds the cluster that runs in the folder dir.
func Open(dir string) (*Cluster, error) { panic("stub") }

// Stop ends the cluster's processes and keeps its data.
func (c *Cluster) Stop() error { panic("stub") }

// StopDir ends what was started in the folder dir, even if it was started only in part.
func StopDir(dir string) error { panic("stub") }

// KillBroker ends a broker at once, as a power cut would.
func (c *Cluster) KillBroker(name string) error { panic("stub") }

// StartBroker starts a broker again, on the same ports and data.
func (c *Cluster) StartBroker(ctx context.Context, name string) error { panic("stub") }

// SuspendBroker freezes a broker: its ports accept connections, but nothing answers.
func (c *Cluster) SuspendBroker(name string) error { panic("stub") }

// ContinueBroker lets a frozen broker go on.
func (c *Cluster) ContinueBroker(name string) error { panic("stub") }

// StopNameServer ends the name server.
func (c *Cluster) StopNameServer() error { panic("stub") }

// StartNameServer starts the name server again, on the same port.
func (c *Cluster) StartNameServer(ctx context.Context) error { panic("stub") }
