package activities

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/ledger"
	"rocketshift/internal/secrets"
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
	return plan.Plan{
		Name:   "shop",
		Source: plan.Cluster{NameServers: []string{nameServer}},
		Target: plan.Target{Provider: plan.ProviderLocal},
	}
}

func TestSourceThatIsDownIsWaitedFor(t *testing.T) {
	address := silent(t)
	s := Settings{Root: t.TempDir()}
	err := ask(t, NewAssess(s), "Assess", Request{Plan: planFrom(address)}, nil)
	require.Equal(t, SourceUnreachableType, typeOf(err), "%v", err)
	assert.ErrorContains(t, err, address, "people see which name server")
	var app *temporal.ApplicationError
	require.True(t, errors.As(err, &app))
	assert.False(t, app.NonRetryable())
	assert.Equal(t, fault.ReachAgain, app.NextRetryDelay())
	assert.Equal(t, temporal.ApplicationErrorCategoryBenign, app.Category(), "waiting is no fault")
}

func TestTargetThatIsNotThereYetIsWaitedFor(t *testing.T) {
	s := Settings{Root: t.TempDir()}
	for name, call := range map[string]func() error{
		"Describe": func() error { return ask(t, NewPurchase(s), "Describe", Request{Plan: planFrom(silent(t))}, nil) },
		"State":    func() error { return ask(t, NewReplication(s), "State", Request{Plan: planFrom(silent(t))}, nil) },
		"Unfence": func() error {
			return ask(t, NewTraffic(s), "Unfence", GroupsRequest{Request: Request{Plan: planFrom(silent(t))}, Side: api.Target}, nil)
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
	err := ask(t, NewTraffic(Settings{Root: t.TempDir()}), "Fence",
		GroupsRequest{Request: Request{Plan: planFrom(silent(t))}, Side: "sauce"}, nil)
	assert.Equal(t, InvalidType, typeOf(err))
	assert.ErrorContains(t, err, "sauce")
}

// allowing are the settings of a worker whose configuration names these hosts.
func allowing(t *testing.T, hosts string) Settings {
	t.Helper()
	store, err := secrets.New(hosts, os.Getenv)
	require.NoError(t, err)
	return Settings{Root: t.TempDir(), Secrets: store}
}

// Whoever writes a plan can't have the worker's keys and tokens used with hosts of theirs.
func TestSecretsAreUsedWithHostsOfTheWorkersOwnConfigurationOnly(t *testing.T) {
	for name, value := range map[string]string{
		"SHOP_ACCESS_KEY": "the-access-key", "SHOP_SECRET_KEY": "the-secret-key", "GITHUB_TOKEN": "the-github-token",
		"SHOP_TOKEN": "the-shop-token",
	} {
		t.Setenv(name, value)
	}
	calls := 0
	theirs := httptest.NewServer(http.HandlerFunc(
		func(http.ResponseWriter, *http.Request) { calls++ },
	))
	t.Cleanup(theirs.Close)
	address := strings.TrimPrefix(theirs.URL, "http://")
	s := allowing(t, "SHOP=10.0.0.1:9876")
	withKeys := func(change func(p *plan.Plan)) Request {
		p := planFrom(address)
		change(&p)
		return Request{Plan: p}
	}
	ofSource := withKeys(func(p *plan.Plan) { p.Source.Credentials = &plan.Credentials{Env: "SHOP"} })
	ofTarget := withKeys(func(p *plan.Plan) {
		p.Source.NameServers = []string{"127.0.0.1:1"}
		p.Target = plan.Target{
			Provider: plan.ProviderExisting, NameServers: []string{address},
			Credentials: &plan.Credentials{Env: "SHOP"},
		}
	})
	token := withKeys(func(p *plan.Plan) {
		p.Source.NameServers = []string{"127.0.0.1:1"}
		p.Traffic = plan.Traffic{
			Mode: plan.ModeGateway, Gateways: []string{address},
			Credentials: &plan.Credentials{Env: "GITHUB"},
		}
	})
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"keys of the source": {
			ask(t, NewAssess(s), "Assess", ofSource, nil),
			"source.credentials: this worker doesn't use SHOP_ACCESS_KEY with " + address,
		},
		"keys of the target": {
			ask(t, NewPurchase(s), "Describe", ofTarget, nil),
			"target.credentials: this worker doesn't use SHOP_ACCESS_KEY with " + address,
		},
		"keys of a bought one": {
			ask(t, NewPurchase(s), "Purchase", ofTarget, nil),
			"target.credentials: this worker doesn't use SHOP_ACCESS_KEY with " + address,
		},
		"a token": {
			ask(t, NewGateways(s), "AwaitEmpty", token, nil),
			"this worker doesn't send GITHUB_TOKEN to " + address,
		},
		"a token, for a moment": {
			ask(t, NewGateways(s), "Prepare", PrepareRequest{Request: token}, nil),
			"this worker doesn't send GITHUB_TOKEN to " + address,
		},
	} {
		require.Equal(t, ForbiddenType, typeOf(c.err), "%s: %v", name, c.err)
		assert.ErrorContains(t, c.err, c.says, name)
		assert.ErrorContains(t, c.err, "set ROCKETSHIFT_SECRETS=", name)
		assert.NotContains(t, c.err.Error(), "the-", name)
		var app *temporal.ApplicationError
		require.ErrorAs(t, c.err, &app)
		assert.True(t, app.NonRetryable(), "%s: a person corrects it", name)
	}
	assert.Zero(t, calls)
}

func TestMissingKeysAreNamedAndNeverShown(t *testing.T) {
	t.Setenv("SHOP_ACCESS_KEY", "visible-key")
	p := planFrom(silent(t))
	p.Source.Credentials = &plan.Credentials{Env: "SHOP"}
	err := ask(t, NewAssess(allowing(t, "SHOP=127.0.0.1")), "Assess", Request{Plan: p}, nil)
	require.Equal(t, AccessDeniedType, typeOf(err))
	assert.ErrorContains(t, err, "SHOP_SECRET_KEY")
	assert.NotContains(t, err.Error(), "visible-key")
}

func TestSecretsStayOutOfRequestsAndErrors(t *testing.T) {
	t.Setenv("SHOP_ACCESS_KEY", "the-access-key")
	t.Setenv("SHOP_SECRET_KEY", "the-secret-key")
	p := planFrom(silent(t))
	p.Source.Credentials = &plan.Credentials{Env: "SHOP"}
	request, err := json.Marshal(Request{Plan: p})
	require.NoError(t, err)
	failed := ask(t, NewAssess(allowing(t, "SHOP=127.0.0.1")), "Assess", Request{Plan: p}, nil)
	require.Equal(t, SourceUnreachableType, typeOf(failed))
	for _, text := range []string{string(request), failed.Error()} {
		assert.NotContains(t, text, "the-access-key")
		assert.NotContains(t, text, "the-secret-key")
	}
}

func TestLedgerShowsRestsFirstAndEveryKind(t *testing.T) {
	b := &ledger.Builder{}
	b.Enter(ledger.KindRetry, "group a", 2, "")
	b.Enter(ledger.KindLag, "topic t", 0, "")
	b.Enter(ledger.KindConsumers, "group a", 5, "")
	b.Enter(ledger.KindRetry, "group b", 1, "")
	l, err := NewLedgers(Settings{}).close(t.Context(), Request{}, b)
	require.NoError(t, err)
	assert.EqualValues(t, 8, l.Rest)
	rows := l.Rows.First()
	require.Len(t, rows, 8, "3 rests, and the 5 kinds without: %v", rows)
	assert.Equal(t, ledger.KindConsumers, rows[0].Kind)
	assert.Equal(t, api.LedgerRow{Kind: ledger.KindLag, Object: "all"}, rows[3])
}

func TestPartsOfAVerificationAddUp(t *testing.T) {
	a := api.Verification{Lanes: 1, Compared: 10, Examples: []string{"1", "2", "3", "4", "5", "6", "7"}}
	b := api.Verification{Lanes: 2, Compared: 5, Missing: 1, Natives: 3, Examples: []string{"8", "9", "10", "11"}}
	sum := a.Plus(b)
	assert.Equal(t, 3, sum.Lanes)
	assert.EqualValues(t, 15, sum.Compared)
	assert.True(t, a.Clean())
	assert.False(t, sum.Clean())
	assert.Len(t, sum.Examples, 10)
}
