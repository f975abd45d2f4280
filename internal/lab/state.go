package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"rocketshift/internal/files"
)

// stateFile describes the cluster of a folder. With it, another program can find the same cluster,
// or end it.
const stateFile = "state.json"

var (
	// ErrNoCluster says that the folder holds no cluster that ever served.
	ErrNoCluster = errors.New("no cluster here")
	// ErrNotRunning says that the folder holds a cluster whose processes have ended, all or some.
	// Restart helps.
	ErrNotRunning = errors.New("cluster is not running")
)

type role string

const (
	roleNameServer role = "name server"
	roleBroker     role = "broker"
	roleProxy      role = "proxy"
)

// server is one process of a cluster, with what it needs to be started again.
type server struct {
	Role    role    `json:"role"`
	Name    string  `json:"name"`              // also its folder
	SlaveOf string  `json:"slaveOf,omitempty"` // of brokers: the master's name
	Port    int     `json:"port"`              // remoting
	GRPC    int     `json:"grpc,omitempty"`
	Process process `json:"process"`
}

func (s server) ports() []int {
	switch s.Role {
	case roleBroker:
		return brokerPorts(s.Port)
	case roleProxy:
		return []int{s.Port, s.GRPC}
	default:
		return []int{s.Port}
	}
}

type state struct {
	Spec    ClusterSpec `json:"spec"`
	Files   Files       `json:"files"`
	Served  bool        `json:"served"` // it has served, so its data may be needed
	Servers []server    `json:"servers"`
}

func loadState(dir string) (state, error) {
	var s state
	raw, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("%s: %w", dir, ErrNoCluster)
	}
	if err != nil {
		return s, fmt.Errorf("state of the cluster: %w", err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("%s is damaged (%w): end its processes by hand and remove the folder",
			filepath.Join(dir, stateFile), err)
	}
	return s, nil
}

func (s state) save(dir string) error { return writeJSON(filepath.Join(dir, stateFile), s) }

// writeJSON replaces the file as a whole, so that a reader never sees half of it.
func writeJSON(file string, content any) error {
	raw, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if err := files.Replace(file, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}

// running fails with ErrNotRunning unless every process of the cluster is alive.
func (s state) running() error {
	var ended []error
	for _, server := range s.Servers {
		if !server.Process.alive() {
			ended = append(ended, fmt.Errorf("%s %s has ended", server.Role, server.Name))
		}
	}
	if len(ended) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrNotRunning, errors.Join(ended...))
}

// Processes are the ids of the processes of the cluster in a folder that run now, name server
// first; none if the folder holds no cluster.
func Processes(dir string) ([]int, error) {
	s, err := loadState(dir)
	if err != nil {
		return nil, err
	}
	var running []int
	for _, r := range []role{roleNameServer, roleBroker, roleProxy} {
		for _, server := range s.Servers {
			if server.Role == r && server.Process.alive() {
				running = append(running, server.Process.PID)
			}
		}
	}
	return running, nil
}
