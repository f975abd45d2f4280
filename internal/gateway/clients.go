package gateway

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"rocketshift/internal/gateway/keeper"
	"rocketshift/internal/gateway/keys"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
)

// sessions are the gateway's sessions with clients, and what they share.
type sessions struct {
	config *Config
	log    *slog.Logger
	//nolint:containedctx // it is the life of the process, which every connection shares
	ctx     context.Context
	running *sync.WaitGroup
	sides   *replicas.Sides
	table   *routing.Table
	lease   *rounds.Lease
	frozen  func() bool     // nothing is written, as another process takes over
	passed  <-chan struct{} // closed when another process has taken everything

	registry sessionRegistry
	opaques  opaques
	ports    ports
	refresh  signal // the clusters are to be looked at
	changed  signal // which clients there are, or what they say
	keeper   atomic.Pointer[keeper.Keeper]

	unansweredSends unansweredSends
	keys            keys.Keys
	admission       admission
	waits           waits
	figures         figures
}

// signal wakes who waits for it, once for any number of reasons.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) now() {
	select {
	case s <- struct{}{}:
	default:
	}
}
