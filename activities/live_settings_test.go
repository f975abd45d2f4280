//go:build !race

// The stock 4.x client has data races of its own, which would fail the test.

package activities

import (
	"slices"
	"testing"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// settingsRig has a source and a target whose brokers are configured otherwise.
func settingsRig(t *testing.T) *rig {
	t.Helper()
	from := labtest.OwnCluster(t, lab.ClusterSpec{
		Name: "Source", Version: "4.9.7", Brokers: 1, Config: map[string]string{
			"messageDelayLevel": "7s 1m", "maxMessageSize": "8388608", "enablePropertyFilter": "true",
		},
	})
	to := labtest.OwnCluster(t, lab.ClusterSpec{
		Name: "Target", Version: "5.3.3", Brokers: 1, Config: map[string]string{
			"messageDelayLevel": "1s 60s", "enablePropertyFilter": "false",
		},
	})
	return newRigBetween(t, from, to, "settings", nil)
}

// about is the finding about one setting.
func about(findings []api.Finding, setting string) api.Finding {
	for _, f := range findings {
		if f.Object == "setting "+setting {
			return f
		}
	}
	return api.Finding{}
}

func TestLiveSettingsOfBothSidesAreCompared(t *testing.T) {
	t.Parallel()
	r := settingsRig(t)
	orders, group := r.topic("orders", 1), r.group("billing")
	r.fill(orders, 1)
	var a api.Assessment
	r.must(NewAssess(r.settings), "Assess", r.request(), &a)
	assert.Zero(t, a.Refusals(), "no group filters: %v", a.Findings)
	delays := about(a.Findings, "messageDelayLevel")
	assert.Contains(t, delays.Cause,
		"is 7s 1m on the source (broker-a), and 1s 60s (broker-a) on the target: ")
	assert.Contains(t, delays.Next,
		"write messageDelayLevel=7s 1m into the configuration of target broker broker-a")
	assert.Contains(t, about(a.Findings, "maxMessageSize").Next, "write maxMessageSize=8388608 ")
	assert.Contains(t, about(a.Findings, "enablePropertyFilter").Next,
		"write enablePropertyFilter=true ")
	differ := slices.DeleteFunc(slices.Clone(a.Findings), func(f api.Finding) bool { return f.ID != "setting-differs" })
	assert.Len(t, differ, 3, "what is the same is no finding: %v", a.Findings)

	objects := MetadataRequest{Request: r.request(), Topics: api.Some(orders), Groups: api.Some(group)}
	var diff api.MetadataDiff
	r.must(NewMetadata(r.settings), "Diff", objects, &diff)
	assert.Zero(t, diff.Conflicts.Len(), "%v", diff.Conflicts)
	assert.Equal(t, 3, diff.Warnings.Len(), "%v", diff.Warnings)

	source, err := r.settings.clusters().Source(r.plan)
	require.NoError(t, err)
	lines, err := metadata.LikeSource(r.ctx, source)
	require.NoError(t, err)
	assert.Equal(t, "7s 1m", lines["messageDelayLevel"],
		"a target of provider local is started with it")

	big := consumer.MessageSelector{Type: consumer.SQL92, Expression: "a > 1"}
	r.memberBy(big, api.Source, group, orders, false, newInbox())
	r.eventually("the member is known", func() bool {
		found, err := r.source.Client().ConsumerConnectionsOf(r.ctx, r.brokers(r.source)[0].Addr, group)
		require.NoError(t, err)
		return len(found.Connections) > 0
	})
	r.must(NewAssess(r.settings), "Assess", r.request(), &a)
	refused := about(a.Findings, "enablePropertyFilter")
	assert.True(t, refused.Refusal, "a group that the target would serve nothing: %v", a.Findings)
	assert.Contains(t, refused.Cause, "is false (broker-a) on the target, and must be true for "+group)
	r.must(NewMetadata(r.settings), "Diff", objects, &diff)
	require.Equal(t, 1, diff.Conflicts.Len(), "a target that came after Assess")
	assert.Equal(t, refused, diff.Conflicts.First()[0])
}

// A group with a filter that its members began to use after Assess, or that came later, doesn't
// move to brokers that refuse it.
func TestLiveAGroupMovesOnlyWhereItsSubscriptionIsTaken(t *testing.T) {
	t.Parallel()
	r := settingsRig(t)
	orders, group := r.topic("orders", 2), r.group("billing")
	r.importAll([]string{orders}, []string{group}, nil)
	r.replicate()
	in := newInbox()
	sql := consumer.MessageSelector{Type: consumer.SQL92, Expression: "a BETWEEN 2 AND 9"}
	leave := r.memberBy(sql, api.Source, group, orders, false, in)
	write := func(c *rocketmq.Cluster, a string) {
		for queue := range 2 {
			r.produce(c, "broker-a", orders, queue, 2, remoting.Property{Name: "a", Value: a})
		}
	}
	write(r.source, "1")
	write(r.source, "2")
	r.eventually("the member reads on the source", func() bool { return in.count() == 4 })
	traffic := NewTraffic(r.settings)
	target := r.brokers(r.target)[0]
	before, err := r.target.Client().AllOffsets(r.ctx, target.Addr)
	require.NoError(t, err)
	refused := ask(t, traffic, "ClosedByOthers", r.groups(api.Source, group), nil)
	assert.Equal(t, RefusedType, typeOf(refused), "%v", refused)
	for _, part := range []string{
		"group " + group + " to topic " + orders, `SQL92 "a BETWEEN 2 AND 9"`, "target broker broker-a",
		"does not support consumer to filter message by SQL92", "write enablePropertyFilter=true",
	} {
		assert.ErrorContains(t, refused, part)
	}
	assert.Len(t, r.openOn(group), 1, "nothing is fenced")
	after, err := r.target.Client().AllOffsets(r.ctx, target.Addr)
	require.NoError(t, err)
	for key := range after {
		assert.NotEqual(t, group, key.Group, "the attempt left a position: %v", before)
	}

	r.configure(r.target, "enablePropertyFilter", "true")
	var closed []string
	r.must(traffic, "ClosedByOthers", r.groups(api.Source, group), &closed)
	assert.Empty(t, closed)
	r.must(traffic, "Fence", r.groups(api.Source, group), nil)
	r.must(traffic, "AwaitSettled", r.groups(api.Source, group), nil)
	r.must(traffic, "Translate", r.groups(api.Source, group), nil)
	r.must(traffic, "Unfence", r.groups(api.Target, group), nil)
	leave()
	r.memberBy(sql, api.Target, group, orders, false, in)
	write(r.target, "1")
	write(r.target, "3")
	r.eventually("the member reads on the target", func() bool { return in.count() == 8 })
}

// configure changes a line of all brokers' configuration while they run.
func (r *rig) configure(c *rocketmq.Cluster, name, value string) {
	r.Helper()
	for _, b := range r.brokers(c) {
		got, err := c.Client().Call(r.ctx, b.Addr, &remoting.Command{
			Code: updateBrokerConfig, Body: []byte(name + "=" + value + "\n"),
		})
		require.NoError(r, err)
		require.Equal(r, remoting.Success, got.Code, got.Remark)
	}
}

// updateBrokerConfig is UPDATE_BROKER_CONFIG (RequestCode, 4.5.2 to 5.3.3).
const updateBrokerConfig = 25
