package main

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// slowRole takes so long to stop.
type slowRole time.Duration

func (r slowRole) Stop() { time.Sleep(time.Duration(r)) }

func TestRolesStopAtTheSameTimeWithinTheBound(t *testing.T) {
	for name, c := range map[string]struct {
		roles []slowRole
		took  time.Duration
	}{
		"side by side":     {[]slowRole{slowRole(stopTimeout), slowRole(stopTimeout)}, stopTimeout},
		"one is stuck":     {[]slowRole{slowRole(time.Hour), slowRole(time.Second)}, stopBound},
		"nothing is begun": {nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				stopAll(slog.New(slog.DiscardHandler), c.roles, stopBound)
				require.Equal(t, c.took, time.Since(began))
				time.Sleep(time.Hour) // what is stuck ends with the process
			})
		})
	}
}
