package activities

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/documents"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/secrets"
	"rocketshift/internal/shards"
)

// ErrUnwanted says that an activity was cancelled, or given up.
var ErrUnwanted = errors.New("the activity was cancelled, or given up")

// Settings is what the worker gives the activities.
type Settings struct {
	// Root is the project's or the worker's data root; what runs lies in .run below it.
	Root string
	// Reports is the folder of the reports, by default <Root>/.run/reports.
	Reports string
	// Store keeps what is too big for histories; all workers of a task queue share it. By default
	// it is <Root>/.run/store.
	Store *documents.Store
	// Clusters are the connections that the activities of one process share. Without them each
	// concern opens its own.
	Clusters *connect.Pool
	// Observed, if given, is told how far the lanes of this process are.
	Observed *shards.Observed
	// Shares, if given, spreads shards of lanes over several workers.
	Shares *shards.Shares
	// Secrets are those of the worker's environment, with the hosts that they may be used with. If
	// absent, these are gateways on this machine.
	Secrets *secrets.Store
	// Wanted, if given, asks Temporal at once whether the activity of the context is still wanted:
	// nil if so, an error that is ErrUnwanted if not, another if that isn't known.
	Wanted func(context.Context) error
	// Look is how often lanes look for new topics and queues; 30 s if absent.
	Look time.Duration
}

// lists are those of the request's migration.
func (s Settings) lists(r Request) lists.In {
	return lists.In{Store: s.Store, Migration: r.Plan.Name, Bounded: r.Bounded}
}

// clusters opens the clusters of plans.
func (s Settings) clusters() connect.Opener {
	return connect.Opener{Pool: s.Clusters, Secrets: s.Secrets, Root: s.Root}
}

func (s Settings) withDefaults() Settings {
	if s.Reports == "" {
		s.Reports = filepath.Join(s.Root, ".run", "reports")
	}
	if s.Store == nil {
		s.Store, _ = documents.New(StoreFolder(s.Root)) // a folder is always a store
	}
	if s.Look <= 0 {
		s.Look = defaultLook
	}
	if s.Clusters == nil {
		s.Clusters = connect.NewPool()
	}
	if s.Secrets == nil {
		s.Secrets, _ = secrets.New("", os.Getenv) // nothing is configured, so nothing is wrong with it
	}
	return s
}

// StoreFolder is where a worker's documents lie unless it is told otherwise.
func StoreFolder(root string) string { return filepath.Join(root, ".run", "store") }
