package gateway

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/controlserver"
	"rocketshift/internal/gateway/routing"
)

func requireBypassing(t *testing.T, err error, want control.Bypassing) {
	t.Helper()
	var refusal *control.BypassedError
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, want, refusal.Bypassing)
}

// Who calls the control API hears for whose applications a move was refused, not in words alone.
func TestARefusalNamesWhoseApplicationsBypassTheGateway(t *testing.T) {
	two := newTwoSides(t)
	two.lists(routing.Target, "past")
	controls, err := controlserver.New(two.Gateway, "a-token-of-tests-1")
	require.NoError(t, err)
	server := httptest.NewServer(controls.Handler())
	t.Cleanup(server.Close)
	c := control.NewClient(server.URL, control.Access{Token: "a-token-of-tests-1"})
	for _, m := range []control.Move{
		{ID: "side", Kind: control.KindSide, To: "source", Groups: []string{"billing"}},
		{ID: "authority", Kind: control.KindAuthority, To: "source"},
	} {
		if m.Kind == control.KindAuthority {
			two.withTarget(t, two.brokers[routing.Source], two.brokers[routing.Target].Addr().String())
			two.table.MoveAuthority(routing.Target)
		}
		_, err = c.Move(t.Context(), m)
		var refusal *control.RefusedError
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, control.Bypassing{Groups: []string{"billing"}}, refusal.Bypassing)
		require.True(t, refusal.Bypassing.Any())
	}
	_, err = c.Move(t.Context(), control.Move{ID: "nothing", Kind: control.KindSide, To: "source"})
	var refusal *control.RefusedError
	require.ErrorAs(t, err, &refusal)
	require.False(t, refusal.Bypassing.Any(), "it was refused for something else")
}

func TestRefusalsOfManyGroupsAreOne(t *testing.T) {
	require.NoError(t, control.AllBypassed(nil))
	var all []*control.BypassedError
	for i := 7; i >= 0; i-- {
		group := fmt.Sprint("group-", i)
		var one *control.BypassedError
		require.True(t,
			errors.As(control.NewBypassed(control.Bypassing{Groups: []string{group}}, "%s has members", group), &one))
		all = append(all, one)
	}
	err := control.AllBypassed(all)
	require.ErrorIs(t, err, control.ErrRefused)
	require.EqualError(t, err, "refused: group-0 has members; group-1 has members; "+
		"group-2 has members; group-3 has members; group-4 has members; and 3 groups more")
	var refusal *control.BypassedError
	require.ErrorAs(t, err, &refusal)
	require.Len(t, refusal.Groups, 8)
}
