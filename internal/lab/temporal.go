package lab

import "context"

// TemporalSpec says how to run a Temporal development server. Zero values mean a free port, and the defaults.
type TemporalSpec struct {
	Port     int  // gRPC
	UIPort   int  // Web UI
	Detached bool // the server outlives this process
}

// Temporal is a running Temporal development server.
type Temporal struct {
	Dir       string
	Address   string // host:port of the gRPC frontend
	UIAddress string // http://host:port of the Web UI
}

// StartTemporal starts the server below the folder dir (its database is a file there) and returns when it serves.
func StartTemporal(ctx context.Context, root, dir string, spec TemporalSpec) (*Temporal, error) {
	panic("stub")
}

// OpenTemporal finds the server that runs in the folder dir.
func OpenTemporal(dir string) (*Temporal, error) { panic("stub") }

// Stop ends the server and keeps its data.
func (t *Temporal) Stop() error { panic("stub") }
