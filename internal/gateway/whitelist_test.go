package gateway

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/controlserver"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// A broker that lets everybody in keeps what goes to the target from going, and nothing from coming
// back: who needs the way back has no time to restart brokers.
func TestAWhiteListHoldsUpTheWayForwardAlone(t *testing.T) {
	for _, on := range []routing.Side{routing.Source, routing.Target} {
		g := alone(t)
		g.checks.Found(on, errors.New("a broker lets everybody in"))
		for to, refuses := range map[string]bool{"target": true, "source": false} {
			r := store.Round{ID: "to-" + to, Kind: control.KindAuthority, To: to, Budget: control.Duration(time.Second)}
			_, err := g.rounds.Prepare(t.Context(), r)
			if refuses {
				require.ErrorIs(t, err, control.ErrRefused)
				require.ErrorContains(t, err, "lets everybody in")
				continue
			}
			require.NoError(t, err)
			require.NoError(t, g.rounds.Abort(t.Context(), r.ID))
		}
	}
}

// A gateway that was put on a white list instead of being given keys is the worst case: everybody
// behind it may do everything. It has no account of its own then.
func TestWhiteListsOfBothSidesAreSeenWithoutAnAccount(t *testing.T) {
	open := wire.Reply{Body: []byte(`{"table":{}}`)}
	for _, on := range []routing.Side{routing.Source, routing.Target} {
		for name, c := range map[string]struct {
			config  string
			runtime wire.Reply
			open    bool
		}{
			"access control that doesn't ask": {"aclEnable=true\n", open, true},
			"access control that asks":        {"aclEnable=true\n", wire.Reply{Code: remoting.SystemError}, false},
			"no access control":               {"aclEnable=false\n", open, false},
		} {
			two := newTwoSides(t)
			two.brokers[on].answer(codeConfig, wire.Reply{Body: []byte(c.config)})
			two.brokers[on].answer(codeRuntime, c.runtime)
			two.brokers[on.Other()].answer(codeConfig, wire.Reply{Body: []byte("aclEnable=false\n")})
			err := two.checks.LookAtWhiteLists(t.Context())
			if !c.open {
				require.NoError(t, err, name)
				continue
			}
			require.ErrorContains(t, err, on.String()+" broker broker-", name)
			assert.Equal(t, controlserver.HealthOpen, two.Health().State)
		}
	}
}
