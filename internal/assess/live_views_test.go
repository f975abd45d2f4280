package assess

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// Codes of requests that rocketshift never sends (RequestCode).
const (
	wipeWritePerm          = 205
	updateNameServerConfig = 318
)

// views is a source of two brokers, and a target with a proxy.
type views struct {
	source
	b      rocketmq.Broker
	target *lab.Cluster
}

func viewsOf(t *testing.T) views {
	t.Helper()
	c := labtest.OwnCluster(t, lab.ClusterSpec{Name: "Source", Version: "4.9.7", Brokers: 2})
	v := views{source: sourceOn(t, c), target: labtest.OwnCluster(t, lab.ClusterSpec{
		Name: "Target", Version: "5.3.3", BrokerNames: []string{"broker-target"}, Proxy: true,
	})}
	brokers, err := rocketmq.NewCluster(v.client, v.names).Brokers(t.Context())
	require.NoError(t, err)
	require.Len(t, brokers, 2)
	v.b = brokers[1]
	v.topic("orders")
	v.send("orders", "x", "UNIQ_KEY", "m1")
	return v
}

func (v views) call(server string, c remoting.Command) {
	v.Helper()
	got, err := v.client.Call(v.Context(), server, &c)
	require.NoError(v, err)
	require.Equal(v, remoting.Success, got.Code, got.Remark)
}

// fill makes what producers and consumers see otherwise than brokers have it, and groups that can't
// move as they are.
func (v views) fill() {
	v.Helper()
	for name, has := range map[string][3]int{
		"write-only": {1, 1, rocketmq.PermWrite}, "half-read": {1, 3, 6}, "shrunk": {4, 2, 6}, "shrunk-twice": {4, 2, 6},
	} {
		config := rocketmq.TopicConfig{
			Name: name, ReadQueues: has[0], WriteQueues: has[1], Perm: has[2], FilterType: "SINGLE_TAG",
		}
		require.NoError(v, v.client.CreateTopic(v.Context(), v.at.Addr, config))
		if name == "shrunk-twice" {
			require.NoError(v, v.client.CreateTopic(v.Context(), v.b.Addr, config))
		}
	}
	v.send("write-only", "x")
	v.call(v.names[0], remoting.Command{Code: updateNameServerConfig, Body: []byte("orderMessageEnable=true\n")})
	require.NoError(v, v.client.PutKV(v.Context(), v.names[0], rocketmq.OrderNamespace, "orders", v.at.Name+":1"))
	v.call(v.b.Addr, remoting.Command{Code: remoting.CodeUpdateBrokerConfig, Body: []byte("fileReservedTime=48\n")})
	for name, open := range map[string]bool{"closed": false, "a.b": true} {
		require.NoError(v, v.client.PutGroup(v.Context(), v.at.Addr, rocketmq.Group{
			Name: name, ConsumeEnable: open, FromMinEnable: true, RetryQueues: 1, RetryMaxTimes: 16,
		}))
	}
	for _, id := range []string{"one", "two", "three"} {
		v.silentMember("GID_silent", id, "orders")
	}
	v.silentMember("rocketshift-"+defaultName, "application", "orders")
}

// conditions are what each finding says, among others; of a plan that change makes of one for the
// source and the target.
type conditions struct {
	change func(*plan.Plan)
	says   map[string]string
}

// ofViews are conditions by what is assessed.
func (v views) ofViews() map[string]conditions {
	nowhere := "127.0.0.1:1"
	everybody := []string{"*"} // whose members would be waited for
	// Java clients of 4.5.0, which nobody can start here beside those of 4.9.7, by what the broker says
	old := relayed{v.source, nil}.said(func(body string) string {
		return strings.ReplaceAll(body, `"version":409`, `"version":`+strconv.Itoa(rocketmq.Version450))
	})
	return map[string]conditions{
		"as it is": {func(*plan.Plan) {}, map[string]string{
			"topic-unreadable":  "topic write-only: can't be read on broker broker-a (permission 2)",
			"topic-not-sampled": "topic write-only: can't be sampled",
			"queues-unreadable": "topic half-read: has queues that producers write to and nobody can read",
			"queues-hidden":     "topic shrunk: producers don't see all of its queues",
			"queues-unlike":     "topic shrunk-twice: producers don't see all of its queues",
			"order-config":      "topic orders: name servers tell producers which queues to choose among",
			"route-differs": "topic shrunk-twice: name servers show clients 4 queues to read from, 2 to write to and " +
				"permission 4",
			"setting-uneven":    "fileReservedTime",
			"group-closed":      "group closed: is closed on source broker broker-a",
			"group-name":        "group a.b: has a name that 5.x doesn't accept",
			"order-untold":      "groups [GID_silent",
			"lane-group-in-use": "group rocketshift-" + defaultName + ": is used by an application",
			"queues-uneven":     "group GID_silent, topic orders: 2 of 3 members get none of its 1 queues",
			"clients-unseen":    "such names: GID_silent",
		}},
		"a broker is left out": {func(p *plan.Plan) {
			p.Source.LeftOut, p.Groups.Exclude = []string{"broker-b"}, everybody
		}, map[string]string{
			"broker-left-out": "source broker broker-b", "queues-elsewhere": "topic shrunk-twice: clients also see its 4 queues",
		}},
		"the topic without its group": {func(p *plan.Plan) { p.Groups.Exclude = []string{"GID_silent"} }, map[string]string{
			"group-not-selected": "topic orders: is read by the live group GID_silent",
		}},
		"the group without its topic": {func(p *plan.Plan) { p.Topics.Exclude = []string{"orders"} }, map[string]string{
			"topic-not-selected": "group GID_silent: also reads topic orders",
		}},
		"nothing of that name": {func(p *plan.Plan) {
			p.Topics.Include, p.Groups.Exclude = []string{"oders"}, everybody
		}, map[string]string{
			"plan-matches-nothing": "oders",
		}},
		"nothing at all": {func(p *plan.Plan) {
			p.Topics.Exclude, p.Groups.Exclude = everybody, everybody
		}, map[string]string{
			"nothing-selected": "no topic of the source is selected",
		}},
		"the sides are changed": {func(p *plan.Plan) {
			p.Source.NameServers, p.Target.NameServers = v.target.NameServers, v.names
		}, map[string]string{
			"source-version": "runs version 5.3.3", "target-version": "runs version 4.9.7",
		}},
		"a name server that doesn't answer": {func(p *plan.Plan) {
			p.Source.NameServers, p.Groups.Exclude = append([]string{nowhere}, v.names...), everybody
		}, map[string]string{"name-server-silent": "source name server " + nowhere}},
		"name servers of two clusters": {func(p *plan.Plan) {
			p.Source.NameServers = append(v.names[:1:1], v.target.NameServers...)
			p.Target = plan.Target{Provider: plan.ProviderLocal}
			p.Groups.Exclude = everybody
		}, map[string]string{"several-clusters": "source clusters: "}},
		"a target behind its proxy": {func(p *plan.Plan) {
			p.Target = plan.Target{Provider: plan.ProviderExisting, Proxy: v.target.ProxyRemoting}
			p.Groups.Exclude = everybody
		}, map[string]string{
			"target-quotas": "clients connected at a time", "setting-unknown": "target",
		}},
		"old clients towards a proxy": {func(p *plan.Plan) {
			p.Source.NameServers = []string{old}
			p.Target = plan.Target{Provider: plan.ProviderExisting, Proxy: v.target.ProxyRemoting}
		}, map[string]string{
			"vip-clients": "Java clients up to 4.5.0 send at the port 2 below a broker's (VIP channel): [one at 127.0.0.1:",
		}},
	}
}

// report is what is found towards the target, or what change makes of the plan.
func (v views) report(change func(*plan.Plan)) Report {
	v.Helper()
	_, report := v.assessed(func(p *plan.Plan) {
		p.Target = plan.Target{Provider: plan.ProviderExisting, NameServers: v.target.NameServers}
		change(p)
	})
	return report
}

// What depends on the plan, on what name servers show, and on who is asked is found on real servers,
// and none of it where all is well.
func TestLongConditionsOfPlansAndViewsAreFoundAndNoneOnACleanCluster(t *testing.T) {
	v := viewsOf(t)
	clean := v.report(func(*plan.Plan) {})
	v.fill()
	all := v.ofViews()
	for name, c := range all {
		for id := range c.says {
			assert.Empty(t, told(clean, id), "of a clean cluster, %s", name)
		}
	}
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			require.EventuallyWithT(t, func(l *assert.CollectT) {
				// until something of the broker's topics changes
				v.call(v.names[0], remoting.Command{Code: wipeWritePerm, Fields: map[string]string{"brokerName": v.b.Name}})
				report := v.report(c.change)
				for id, says := range c.says {
					assert.Contains(l, strings.Join(told(report, id), "\n"), says, id)
				}
			}, time.Minute, time.Second, "name servers hear of changes after a while")
		})
	}
}
