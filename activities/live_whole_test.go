package activities

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// Two name servers know a broker each, of one cluster. Before, the first that answered was taken
// for all: half of the messages were copied, the target's topics had half of the queues, and the
// verdict was clean.
func TestLiveHalfAClusterIsNeverCalledClean(t *testing.T) {
	t.Parallel()
	one := labtest.Cluster(t, "4.9.7")
	other := labtest.OwnCluster(t, lab.ClusterSpec{Version: "4.9.7", BrokerNames: []string{"broker-alone"}})
	r := newRigBetween(t, one, labtest.Cluster(t, "5.3.3"), "half", nil)
	topic, group := r.topic("orders", 1), r.group("billing")
	r.plan.Source.NameServers = append(r.plan.Source.NameServers, other.NameServers...)

	var found api.Inventory
	r.must(NewAssess(r.settings), "Assess", r.request(), &found)
	require.NotNil(t, found.Whole)
	assert.Contains(t, found.SourceBrokers(), "broker-alone", "all that any of them knows is looked at")
	refused := map[string]bool{}
	for _, f := range found.Whole.Findings {
		if f.Refusal {
			refused[f.Object] = true
		}
	}
	for _, b := range one.Brokers {
		assert.True(t, refused["source broker "+b.Name], "%v", refused)
	}
	assert.True(t, refused["source broker broker-alone"], "%v", refused)

	behind := r.request()
	behind.Plan.Traffic = plan.Traffic{
		Mode: plan.ModeGateway, Gateways: []string{strings.TrimPrefix(newReturning(t).URL, "http://")},
	}
	wanted := MetadataRequest{Request: r.request(), Topics: api.Some(topic), Groups: api.Some(group)}
	for name, ask := range map[string]func() error{
		"Diff":   func() error { return ask(t, NewMetadata(r.settings), "Diff", wanted, nil) },
		"Apply":  func() error { return ask(t, NewMetadata(r.settings), "Apply", wanted, nil) },
		"State":  func() error { return ask(t, NewReplication(r.settings), "State", r.request(), nil) },
		"Ledger": func() error { return ask(t, NewLedgers(r.settings), "Ledger", r.request(), nil) },
		"moves of homes": func() error {
			homes := HomesRequest{Request: behind, Topics: api.Some(topic), Percent: 50}
			return ask(t, NewGateways(r.settings), "MoveHomes", homes, nil)
		},
		"moves of groups": func() error {
			return ask(t, NewTraffic(r.settings), "ClosedByOthers", r.groups(api.Source, group), nil)
		},
		"Verify": func() error {
			return ask(t, NewVerifier(r.settings), "Verify", VerifyRequest{Request: r.request(), Topics: api.Some(topic)}, nil)
		},
	} {
		err := ask()
		require.ErrorContains(t, err, "isn't seen whole", name)
		assert.Equal(t, SourceUnreachableType, typeOf(err), "%s: it goes on by itself when that is mended", name)
	}
	there, err := r.target.Client().TopicConfigs(r.ctx, r.brokers(r.target)[0].Addr)
	require.NoError(t, err)
	assert.NotContains(t, there, topic, "nothing was made on half of a cluster")
}

// A migration that left a broker out made a topic with a part of the queues. One that sees all of
// the source knows what was made so, and tells how to mend it, before and after somebody gave the
// topic the queues that it lacks.
func TestLiveWhatAPartialRunLeftIsRecognised(t *testing.T) {
	r := newRig(t, "part")
	orders := r.topic("orders", 2)
	first, last := r.brokers(r.source)[0].Name, r.brokers(r.source)[1].Name
	r.fill(orders, 5)
	r.plan.Source.LeftOut = []string{first}
	r.importAll([]string{orders}, nil, nil)
	stop := r.background(NewReplication(r.settings), "Replicate", ReplicateRequest{Request: r.request(), Broker: last})
	topics := TopicsRequest{Request: r.request(), Side: api.Source, Topics: api.Some(orders)}
	r.must(NewReplication(r.settings), "AwaitDrained", topics, nil)
	require.Error(t, stop())

	r.plan.Source.LeftOut, topics.Plan.Source.LeftOut = nil, nil
	target := r.brokers(r.target)[0]
	about := func() (mine api.Finding) {
		t.Helper()
		var a api.Assessment
		r.must(NewAssess(r.settings), "Assess", r.request(), &a)
		for _, f := range a.Findings {
			if f.Object == "topic "+orders {
				mine = f
			}
		}
		return mine
	}
	found := about()
	assert.True(t, found.Refusal, "%v", found)
	assert.Equal(t, "target-leftovers", found.ID)
	assert.Contains(t, found.Cause, "which hold copies, and none of source broker "+first)
	assert.Contains(t, found.Cause,
		"copies of source queue "+last+"/0 lie in target queue "+target.Name+"/0, which is another lane's by now")
	assert.Contains(t, found.Next,
		"mqadmin deleteTopic -n '"+r.target.NameServers()[0]+"' -c "+target.Cluster+" -t '"+orders+"'")
	var diff api.MetadataDiff
	r.must(NewMetadata(r.settings), "Diff", MetadataRequest{Request: r.request(), Topics: api.Some(orders)}, &diff)
	require.Equal(t, 1, diff.Conflicts.Len(), "%v", diff.Conflicts)
	assert.Equal(t, found, diff.Conflicts.First()[0])

	require.NoError(t, r.target.Client().CreateTopic(r.ctx, target.Addr, rocketmq.TopicConfig{
		Name: orders, ReadQueues: 4, WriteQueues: 4, Perm: 6, FilterType: "SINGLE_TAG",
	}))
	assert.Contains(t, about().Cause, "copies of source queue "+last+"/0 lie in target queue "+target.Name+"/0")
	r.replicate()
	r.must(NewReplication(r.settings), "AwaitDrained", topics, nil)
	var v api.Verification
	r.must(NewVerifier(r.settings), "Verify", VerifyRequest{Request: r.request(), Topics: api.Some(orders)}, &v)
	assert.EqualValues(t, 10, v.Extra, "copies of other queues: %v", v.Examples)
	assert.Contains(t, strings.Join(v.Examples, "\n"), "whose lane goes elsewhere by now")
}
