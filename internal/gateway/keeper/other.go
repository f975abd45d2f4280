//go:build !linux

package keeper

import (
	"errors"
	"net"
	"sync/atomic"
)

// Keeper keeps connections; on this system none can be.
type Keeper struct{ now atomic.Uint64 }

// Start fails.
func Start(Options) (*Keeper, error) {
	return nil, errors.New("keeper: this system doesn't count what was read and written of a connection")
}

// Keep keeps nothing.
func (*Keeper) Keep(net.Conn, About, int) *Track { return nil }

// End does nothing.
func (*Keeper) End() {}

func (*Keeper) forget(*Track) bool { return false }

func (*Conn) shutDown() {}

// Take finds none.
func Take(string) (*Taken, error) { return nil, nil } //nolint:nilnil // nobody keeps any

// Main ends at once.
func Main([]string) int { return 1 }
