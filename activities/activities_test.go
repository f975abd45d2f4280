package activities

import (
	"encoding/json"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"rocketshift/plan"
)

// ask runs one activity in Temporal's test environment; concern is the struct that it belongs to.
func ask(t *testing.T, concern any, name string, request, result any) error {
	t.Helper()
	var beat any
	return askAgain(t, concern, name, request, result, &beat)
}

// askAgain is ask for an attempt that follows others: beat carries their last heartbeat.
func askAgain(t *testing.T, concern any, name string, request, result any, beat *any) error {
	t.Helper()
	env := newEnvironment()
	env.RegisterActivity(concern)
	if *beat != nil {
		env.SetHeartbeatDetails(*beat)
	}
	var mu sync.Mutex
	env.SetOnActivityHeartbeatListener(func(_ *activity.Info, details converter.EncodedValues) {
		mu.Lock()
		defer mu.Unlock()
		_ = details.Get(beat)
	})
	value, err := env.ExecuteActivity(name, request)
	mu.Lock()
	defer mu.Unlock()
	if err == nil && result != nil {
		require.NoError(t, value.Get(result))
	}
	return err
}

// silent is an address where nobody listens.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

func planFrom(nameServer string) plan.Plan {
	return plan.Plan{Name: "shop", Source: plan.Cluster{NameServers: []string{nameServer}}, Target: plan.Target{Provider: plan.ProviderLocal}}
}

func TestSourceThatIsDownIsWaitedFor(t *testing.T) {
	address := silent(t)
	s := Settings{Root: t.TempDir()}
	err := ask(t, NewAssess(s), "Assess", Request{planFrom(address)}, nil)
	require.Equal(t, SourceUnreachableType, typeOf(err), "%v", err)
	assert.ErrorContains(t, err, address, "people see which name server")
	var app *temporal.ApplicationError
	require.True(t, errors.As(err, &app))
	assert.False(t, app.NonRetryable())
	assert.Equal(t, reachAgain, app.NextRetryDelay())
	assert.Equal(t, temporal.ApplicationErrorCategoryBenign, app.Category(), "waiting is no fault")
}

func TestTargetThatIsNotThereYetIsWaitedFor(t *testing.T) {
	s := Settings{Root: t.TempDir()}
	for name, call := range map[string]func() error{
		"Describe": func() error { return ask(t, NewPurchase(s), "Describe", Request{planFrom(silent(t))}, nil) },
		"State":    func() error { return ask(t, NewReplication(s), "State", Request{planFrom(silent(t))}, nil) },
		"Unfence": func() error {
			return ask(t, NewTraffic(s), "Unfence", GroupsRequest{Request: Request{planFrom(silent(t))}, Side: Target}, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := call()
			assert.Equal(t, TargetUnreachableType, typeOf(err), "%v", err)
			assert.ErrorContains(t, err, "shop")
		})
	}
}

func TestUnknownSideIsRefused(t *testing.T) {
	err := ask(t, NewTraffic(Settings{Root: t.TempDir()}), "Fence", GroupsRequest{Request: Request{planFrom(silent(t))}, Side: "sauce"}, nil)
	assert.Equal(t, InvalidType, typeOf(err))
	assert.ErrorContains(t, err, "sauce")
}

func TestMissingKeysAreNamedAndNeverShown(t *testing.T) {
	t.Setenv("SHOP_ACCESS_KEY", "visible-key")
	p := planFrom(silent(t))
	p.Source.Credentials = &plan.Credentials{Env: "SHOP"}
	err := ask(t, NewAssess(Settings{Root: t.TempDir()}), "Assess", Request{p}, nil)
	require.Equal(t, AccessDeniedType, typeOf(err))
	assert.ErrorContains(t, err, "SHOP_SECRET_KEY")
	assert.NotContains(t, err.Error(), "visible-key")
}

func TestSecretsStayOutOfRequestsAndErrors(t *testing.T) {
	t.Setenv("SHOP_ACCESS_KEY", "the-access-key")
	t.Setenv("SHOP_SECRET_KEY", "the-secret-key")
	p := planFrom(silent(t))
	p.Source.Credentials = &plan.Credentials{Env: "SHOP"}
	request, err := json.Marshal(Request{p})
	require.NoError(t, err)
	failed := ask(t, NewAssess(Settings{Root: t.TempDir()}), "Assess", Request{p}, nil)
	require.Equal(t, SourceUnreachableType, typeOf(failed))
	for _, text := range []string{string(request), failed.Error()} {
		assert.NotContains(t, text, "the-access-key")
		assert.NotContains(t, text, "the-secret-key")
	}
}

func TestLedgerShowsRestsFirstAndEveryKind(t *testing.T) {
	b := &book{}
	b.enter(kindRetry, "group a", 2, "")
	b.enter(kindLag, "topic t", 0, "")
	b.enter(kindConsumers, "group a", 5, "")
	b.enter(kindRetry, "group b", 1, "")
	l := b.close()
	assert.EqualValues(t, 8, l.Rest)
	require.Len(t, l.Rows, 8, "3 rests, and the 5 kinds without: %v", l.Rows)
	assert.Equal(t, kindConsumers, l.Rows[0].Kind)
	assert.Equal(t, LedgerRow{Kind: kindLag, Object: "all"}, l.Rows[3])
}

func TestPartsOfAVerificationAddUp(t *testing.T) {
	a := Verification{Lanes: 1, Compared: 10, Examples: []string{"1", "2", "3", "4", "5", "6", "7"}}
	b := Verification{Lanes: 2, Compared: 5, Missing: 1, Natives: 3, Examples: []string{"8", "9", "10", "11"}}
	sum := a.Plus(b)
	assert.Equal(t, 3, sum.Lanes)
	assert.EqualValues(t, 15, sum.Compared)
	assert.True(t, a.Clean())
	assert.False(t, sum.Clean())
	assert.Len(t, sum.Examples, maxExamples)
}
