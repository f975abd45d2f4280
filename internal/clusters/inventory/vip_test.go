package inventory

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/secrets"
	"rocketshift/plan"
)

// javaClient is a Java client of a version by its ordinal.
func javaClient(id string, version int) rocketmq.Connection {
	return rocketmq.Connection{ClientID: id, Addr: "10.0.0.8:4000", Language: "JAVA", Version: version}
}

// Java clients up to 4.5.0 send at another port than all others.
func TestClientsOnVIPChannelsAreFindings(t *testing.T) {
	old := func(inv *look) {
		inv.producers["shopfront"]["p2"] = javaClient("old-producer", 313)
		inv.online["billing"].Members["c2"] = clusters.Member{Connection: javaClient("old-member", 293)}
		inv.producers["shopfront"]["p3"] = javaClient("newer", 315)
		inv.producers["shopfront"]["p4"] = rocketmq.Connection{ClientID: "go", Language: "GO", Version: 253}
	}
	var state control.State
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(state)
	}))
	t.Cleanup(server.Close)
	t.Setenv("ROCKETSHIFT_GATEWAY_TOKEN", "a-token-of-the-tests")
	store, err := secrets.New("", os.Getenv)
	require.NoError(t, err)
	opener := connect.Opener{Pool: connect.NewPool(), Secrets: store}
	behind := func(inv *look) {
		inv.plan.Traffic = plan.Traffic{
			Mode:     plan.ModeGateway,
			Gateways: []string{strings.TrimPrefix(server.URL, "http://")},
		}
	}
	of := func(changes ...func(*look)) (told []api.Finding) {
		inv := shop(func(inv *look) {
			for _, change := range changes {
				change(inv)
			}
		})
		for _, f := range append(inv.findings(nil), inv.gatewayFindings(t.Context(), opener)...) {
			if strings.Contains(f.Cause, "4.5.0") {
				told = append(told, f)
			}
		}
		return told
	}

	found := of(old, behind)
	require.Len(t, found, 1)
	assert.True(t, found[0].OfGateway(), "gateways may be started for the shift")
	assert.Contains(t, found[0].Cause,
		"2 Java clients up to 4.5.0 send at the port 2 below a broker's (VIP channel): "+
			"[old-member at 10.0.0.8:4000 (4.4.0) old-producer at 10.0.0.8:4000 (4.5.0)")
	assert.Contains(t, found[0].Next, "firewalls")
	assert.Empty(t, of(behind), "nobody is on a VIP channel")

	state.VIPProblems = []string{"broker broker-a is at port 10911, and Java clients up to 4.5.0 send elsewhere"}
	found = of(behind)
	require.Len(t, found, 1, "who comes later may be one: it is said anyway")
	assert.Contains(t, found[0].Cause, "broker broker-a is at port 10911")
	assert.Contains(t, found[0].Next, "--port")
	found = of(old, behind)
	require.Len(t, found, 2)

	assert.Empty(t, of(old), "brokers of the target have VIP channels")
	found = of(old, func(inv *look) { inv.plan.Target.Proxy = "10.0.9.1:8080" })
	require.Len(t, found, 1, "a proxy has none")
	assert.False(t, found[0].OfGateway())
	assert.Contains(t, found[0].Cause, "proxy")
	assert.Contains(t, found[0].Next, "sendMessageWithVIPChannel=false")
	assert.Empty(t, of(old, behind, func(inv *look) {
		inv.plan.Target.Proxy, state.VIPProblems = "10.0.9.1:8080", nil
	})[1:], "gateways stand between, whatever the target has")
}
