package instance

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/plan"
)

// contract is what each provider promises, whatever it provides. A new provider's tests run it, on
// real servers where there are any.
type contract struct {
	provider Provider
	plan     plan.Plan
	// there says that somebody else has the instance already.
	there bool
}

// holds purchases the plan's instance, and returns it.
func (c contract) holds(t *testing.T) api.Instance {
	t.Helper()
	ctx := testContext(t)
	if !c.there {
		_, there, err := c.provider.Describe(ctx, c.plan)
		require.NoError(t, err, "that there is none is no error")
		require.False(t, there, "before the purchase")
	}
	ended, end := context.WithCancel(ctx)
	end()
	_, err := c.provider.Purchase(ended, c.plan)
	require.ErrorIs(t, err, context.Canceled, "a caller that is gone gets nothing")

	const callers = 3
	var got [callers]api.Instance
	var errs [callers]error
	var calls sync.WaitGroup
	for i := range callers {
		calls.Go(func() { got[i], errs[i] = c.provider.Purchase(ctx, c.plan) })
	}
	calls.Wait()
	for i := range callers {
		require.NoError(t, errs[i])
		require.Equal(t, got[0], got[i], "callers at the same time get the same one")
	}
	again, err := c.provider.Purchase(ctx, c.plan)
	require.NoError(t, err)
	require.Equal(t, got[0], again, "and so does who asks later")
	found, there, err := c.provider.Describe(ctx, c.plan)
	require.NoError(t, err)
	require.True(t, there)
	require.Equal(t, again, found, "it is described as it was given")
	require.Equal(t, c.plan.Target.Provider, found.Provider)
	require.NotEmpty(t, found.Name)
	require.NotEmpty(t, found.NameServers, "without an address nobody can use it")
	return found
}
