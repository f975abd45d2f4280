//go:build !race

package activities

import (
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	stock "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/stretchr/testify/assert"
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
	return r.behindGatewayAt(nil)
}

// behindGatewayAt starts one with ports for some brokers.
func (r *rig) behindGatewayAt(ports map[string]int) *gateway.Gateway {
	r.Helper()
	g, err := gateway.Start(gateway.Config{
		Name: r.own, Listen: "127.0.0.1", Advertise: "127.0.0.1", Dir: r.TempDir(),
		NameServers: r.plan.Source.NameServers, Token: gatewayToken, Ports: ports,
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

// withoutVIP is a free port of which somebody has taken the VIP channel, 2 below it.
func withoutVIP(t *testing.T) int {
	t.Helper()
	for range 100 {
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = taken.Close() })
		number := taken.Addr().(*net.TCPAddr).Port + 2
		if free, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", number)); err == nil {
			require.NoError(t, free.Close())
			return number
		}
	}
	t.Fatal("no port is free")
	return 0
}

// Assess says which clients a gateway couldn't lead: those past it, those that sign with keys of
// which it has no secret, and those that send at ports where it can't listen.
func TestLongAssessTellsWhomGatewaysCannotLead(t *testing.T) {
	t.Parallel()
	r := newRig(t, "unled")
	orders, group := r.topic("orders", 1), r.group("group")
	number := withoutVIP(t)
	found := func() map[string]string {
		var a api.Assessment
		r.must(NewAssess(r.settings), "Assess", r.request(), &a)
		all := map[string]string{}
		for _, f := range a.Findings {
			all[f.ID] += f.Cause + "\n"
		}
		return all
	}
	r.plan.Traffic = plan.Traffic{Mode: plan.ModeGateway, Gateways: []string{"127.0.0.1:1"}}
	assert.Contains(t, found()["gateway-unreachable"], "127.0.0.1:1", "nobody listens there")
	g := r.behindGateway()
	is := found()
	for _, id := range []string{"gateway-unreachable", "gateway-bypassed", "gateway-keys", "gateway-vip"} {
		assert.Empty(t, is[id], "nobody is there")
	}
	g.Close()

	g = r.behindGatewayAt(map[string]int{r.brokers(r.source)[0].Name: number})
	in := newInbox()
	r.member(api.Source, group, orders, false, in)
	signs, err := stock.NewProducer(
		producer.WithGroupName(r.own+"-signs"), producer.WithInstanceName(r.own+"-signs"),
		producer.WithNsResolver(primitive.NewPassthroughResolver([]string{g.NameServer()})),
		producer.WithCredentials(primitive.Credentials{AccessKey: "nobody-knows", SecretKey: "12345678"}),
	)
	require.NoError(t, err)
	require.NoError(t, signs.Start())
	t.Cleanup(func() { _ = signs.Shutdown() })
	_, err = signs.SendSync(r.ctx, primitive.NewMessage(orders, []byte("x")))
	require.NoError(t, err)
	r.eventually("Assess tells of each", func() bool {
		is = found()
		return strings.Contains(is["gateway-bypassed"], "of group "+group) &&
			strings.Contains(is["gateway-keys"], "nobody-knows") &&
			strings.Contains(is["gateway-vip"], fmt.Sprint(number-2))
	})
	assert.Empty(t, is["gateway-unreachable"])
}
