//go:build !race

package activities

import (
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters/fleet"
	"rocketshift/internal/gateway"
	"rocketshift/internal/gateway/controlserver"
	"rocketshift/plan"
)

const gatewayToken = "a-token-of-tests-1"

func init() { _ = os.Setenv("ROCKETSHIFT_GATEWAY_TOKEN", gatewayToken) }

// behindGateway starts a gateway of its own for the rig, which the plan then names.
func (r *rig) behindGateway() *gateway.Gateway {
	r.Helper()
	g, err := gateway.Start(gateway.Config{
		Name: r.own, Listen: "127.0.0.1", Advertise: "127.0.0.1", Dir: r.TempDir(),
		NameServers: r.plan.Source.NameServers, Token: gatewayToken,
	})
	require.NoError(r, err)
	r.Cleanup(g.Close)
	control, err := controlserver.New(g, gatewayToken)
	require.NoError(r, err)
	server := httptest.NewServer(control.Handler())
	r.Cleanup(server.Close)
	r.plan.Traffic = plan.Traffic{Mode: plan.ModeGateway, Gateways: []string{strings.TrimPrefix(server.URL, "http://")}}
	return g
}

func TestLongClientsPastTheGatewaysAreTold(t *testing.T) {
	t.Parallel()
	r := newRig(t, "past")
	orders, group := r.topic("orders", 1), r.group("group")
	g := r.behindGateway()
	both, err := r.settings.clusters().Both(r.ctx, r.plan)
	require.NoError(t, err)
	told := "" // of the last look that saw something
	look := func() bool {
		state, err := r.settings.withDefaults().clusters().GatewayState(r.ctx, r.plan)
		require.NoError(t, err)
		found := fleet.Past(r.ctx, both, state, r.settings.withDefaults().clusters().GatewayState)
		if strings.Contains(found.Unknown, "can't be seen") { // a broker was busy
			return false
		}
		told = found.String()
		return true
	}

	in := newInbox()
	leave := r.member(api.Source, group, orders, false, in)
	r.eventually("the member on the source is told, with its address", func() bool {
		return look() && strings.Contains(told, " at 127.0.0.1:") && strings.Contains(told, "of group "+group)
	})
	leave()
	r.eventually("it has left", func() bool { return look() && !strings.Contains(told, group) })

	r.plan.Source.NameServers = []string{g.NameServer()} // as the application is released with
	r.member(api.Source, group, orders, false, in)
	r.eventually("it is behind the gateway", func() bool {
		state, err := r.settings.withDefaults().clusters().GatewayState(r.ctx, r.plan)
		return err == nil && len(state.Clients) == 1
	})
	r.fill(orders, 1)
	r.eventually("it reads there", func() bool { return in.count() > 0 })
	r.eventually("brokers tell their members", look)
	require.NotContains(t, told, group)
}
