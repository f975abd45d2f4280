package routing

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// patient is a client that has memory for all that it sends.
type patient struct{ Waiter }

func (patient) Reserve(int) bool { return true }
func (patient) Crowded()         {}
func (patient) Waits(bool)       {}
func (patient) Flush()           {}

func TestAHoldKeepsSoMuchAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHold()
		s := &patient{}
		var f wire.Frame
		require.NoError(t, f.Parse(wire.AppendRequest(nil, remoting.CodeSendV2, 1, 0, nil, make([]byte, 15<<20))))
		for range MostHeld / (15 << 20) {
			require.True(t, h.Park(s, &f))
		}
		done := make(chan bool, 1)
		go func() { done <- h.Park(&patient{}, &f) }()
		synctest.Wait()
		require.Empty(t, done, "its client waits")
		h.lines = nil
		h.End(func() {})
		assert.False(t, <-done, "it goes on by itself")
	})
}
