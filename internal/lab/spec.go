package lab

import (
	"fmt"
	"slices"
	"strings"
)

const maxBrokers = 8 // about 0.4 GB of memory each

// ClusterSpec says which cluster to run.
type ClusterSpec struct {
	Name        string            `json:"name"`                  // broker cluster name, default DefaultCluster
	Version     string            `json:"version"`               // of the jars, such as 4.9.7
	Brokers     int               `json:"brokers"`               // 1..8, default 1, or as many as there are names
	BrokerNames []string          `json:"brokerNames,omitempty"` // default broker-a, broker-b, ...
	Slaves      bool              `json:"slaves,omitempty"`      // each broker has one, see Cluster.Slaves
	Proxy       bool              `json:"proxy,omitempty"`       // 5.x only
	Config      map[string]string `json:"config,omitempty"`      // more lines for broker.conf; they win over the lab's
	// nil: everybody may do everything, which is the servers' default
	Admin *Account `json:"admin,omitempty"`
	// name server and brokers answer over TLS too, as a proxy always does
	TLS bool `json:"tls,omitempty"`
	// code is compiled for long runs, for measuring; else starts take half of the processor
	Compiled bool `json:"compiled,omitempty"`
	// Heap is how many MiB a broker or proxy may use for objects; then it collects garbage
	// concurrently (ZGC). With G1, which the distribution's scripts use, 4 GiB and messages of 4
	// MiB stopped a broker for up to 86 ms. 0 is 512 MiB with the serial collector, so that several
	// servers fit on a machine; then such a message also stops a broker for tens of milliseconds.
	Heap     int  `json:"heap,omitempty"`
	Detached bool `json:"detached,omitempty"` // the processes outlive this one
	// NameServerPort is where people expect the name server; 0 picks a free port.
	NameServerPort int `json:"nameServerPort,omitempty"`

	archives bool // the servers write archives of their classes when they end
	// for tests: servers have been launched, after a look at their ports, and wait to become the
	// program
	gated func()
}

func (s ClusterSpec) withDefaults() ClusterSpec {
	if s.Name == "" {
		s.Name = "DefaultCluster"
	}
	if s.Brokers == 0 {
		s.Brokers = max(1, len(s.BrokerNames))
	}
	if len(s.BrokerNames) == 0 {
		for i := range min(s.Brokers, maxBrokers) {
			s.BrokerNames = append(s.BrokerNames, "broker-"+string(rune('a'+i)))
		}
	}
	return s
}

func (s ClusterSpec) validate() error {
	if s.Version == "" {
		return fmt.Errorf("cluster %s: version is missing", s.Name)
	}
	if s.Brokers < 1 || s.Brokers > maxBrokers {
		return fmt.Errorf("cluster %s: %d brokers wanted, allowed are 1 to %d", s.Name, s.Brokers, maxBrokers)
	}
	if len(s.BrokerNames) != s.Brokers {
		return fmt.Errorf("cluster %s: %d brokers, but %d names for them", s.Name, s.Brokers, len(s.BrokerNames))
	}
	for i, name := range s.BrokerNames {
		if name == "" || strings.ContainsAny(name, "/\\ \n") || slices.Contains(reservedNames, name) {
			return fmt.Errorf("cluster %s: %q can't be the name of a broker and of its folder", s.Name, name)
		}
		if slices.Contains(s.BrokerNames[:i], name) {
			return fmt.Errorf("cluster %s: two brokers are called %s", s.Name, name)
		}
	}
	if s.Admin != nil && (len(s.Admin.AccessKey) < minKey || len(s.Admin.SecretKey) < minKey) {
		return fmt.Errorf("cluster %s: the admin's keys need %d characters or more", s.Name, minKey)
	}
	if s.Proxy && !s.is5() {
		return fmt.Errorf("cluster %s: RocketMQ %s has no proxy, 5.x has", s.Name, s.Version)
	}
	return nil
}

func (s ClusterSpec) is5() bool { return strings.HasPrefix(s.Version, "5.") }

// The folders of the servers that are no brokers.
const (
	nameServerName = "nameserver"
	proxyName      = "proxy"
)

// slaveEnd is added to the name of a master's folder to make that of its slave.
const slaveEnd = "-slave"

var reservedNames = []string{nameServerName, proxyName, ".", ".."}

// servers lists the servers of the cluster, in the order of their start, with their ports.
func (s ClusterSpec) servers(freePorts func(int) ([]int, error)) ([]server, error) {
	perBroker := 1
	if s.Slaves {
		perBroker = 2
	}
	ports, err := freePorts(s.Brokers*perBroker + 3)
	if err != nil {
		return nil, err
	}
	if s.NameServerPort != 0 {
		if !portFree(s.NameServerPort) {
			return nil, fmt.Errorf("port %d, which the name server should get, is in use: end the program "+
				"that uses it, or choose another port", s.NameServerPort)
		}
		ports[0] = s.NameServerPort
	}
	servers := []server{{Role: roleNameServer, Name: nameServerName, Port: ports[0]}}
	for i, name := range s.BrokerNames {
		servers = append(servers, server{Role: roleBroker, Name: name, Port: ports[3+i]})
		if s.Slaves {
			servers = append(servers,
				server{Role: roleBroker, Name: name + slaveEnd, SlaveOf: name, Port: ports[3+s.Brokers+i]})
		}
	}
	if s.Proxy {
		servers = append(servers, server{Role: roleProxy, Name: proxyName, Port: ports[1], GRPC: ports[2]})
	}
	return servers, nil
}
