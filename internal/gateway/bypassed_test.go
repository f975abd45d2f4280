package gateway

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func requireBypassing(t *testing.T, err error, want Bypassing) {
	t.Helper()
	var refusal *BypassedError
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, want, refusal.Bypassing)
}

// Who calls the control API hears for whose applications a move was refused, not in words alone.
func TestARefusalNamesWhoseApplicationsBypassTheGateway(t *testing.T) {
	two := newTwoSides(t)
	two.lists(target, "past")
	control, err := NewControl(two.Gateway, "a-token-of-tests-1")
	require.NoError(t, err)
	server := httptest.NewServer(control.Handler())
	t.Cleanup(server.Close)
	c := NewClient(server.URL, Access{Token: "a-token-of-tests-1"})
	for _, m := range []Move{
		{ID: "side", Kind: KindSide, To: "source", Groups: []string{"billing"}},
		{ID: "authority", Kind: KindAuthority, To: "source"},
	} {
		if m.Kind == KindAuthority {
			two.withTarget(t, two.brokers[source], two.brokers[target].Addr().String())
			two.authoritySide.Store(uint32(target))
		}
		_, err = c.Move(t.Context(), m)
		var refusal *RefusedError
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, Bypassing{Groups: []string{"billing"}}, refusal.Bypassing)
		require.True(t, refusal.Bypassing.Any())
	}
	_, err = c.Move(t.Context(), Move{ID: "nothing", Kind: KindSide, To: "source"})
	var refusal *RefusedError
	require.ErrorAs(t, err, &refusal)
	require.False(t, refusal.Bypassing.Any(), "it was refused for something else")
}

func TestRefusalsOfManyGroupsAreOne(t *testing.T) {
	require.NoError(t, allBypassed(nil))
	var all []*BypassedError
	for i := 7; i >= 0; i-- {
		group := fmt.Sprint("group-", i)
		var one *BypassedError
		require.True(t, errors.As(bypassed(Bypassing{Groups: []string{group}}, "%s has members", group), &one))
		all = append(all, one)
	}
	err := allBypassed(all)
	require.ErrorIs(t, err, ErrRefused)
	require.EqualError(t, err, "refused: group-0 has members; group-1 has members; "+
		"group-2 has members; group-3 has members; group-4 has members; and 3 groups more")
	var refusal *BypassedError
	require.ErrorAs(t, err, &refusal)
	require.Len(t, refusal.Groups, 8)
}
