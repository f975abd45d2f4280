package activities

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/api"
	"rocketshift/internal/clusters/ledger"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
)

// Brokers before 4.9.4 list no producers: that is said by Assess and in the ledger.
func TestLiveASourceOf47IsAssessedAndSettled(t *testing.T) {
	t.Parallel()
	from := labtest.OwnCluster(t, lab.ClusterSpec{Name: "Old", Version: "4.7.1", BrokerNames: []string{"broker-a"}})
	r := newRigBetween(t, from, labtest.Cluster(t, "5.3.3"), "old", nil)
	orders, group := r.topic("orders", 2), r.group("billing")
	r.fill(orders, 5)
	var a api.Assessment
	r.must(NewAssess(r.settings), "Assess", r.request(), &a)
	assert.Zero(t, a.Refusals(), "%v", a.Findings)
	assert.Equal(t, "4.7.1", a.SourceVersion)
	said := ""
	for _, f := range a.Findings {
		said += f.Object + ": " + f.Cause + "\n"
	}
	assert.Contains(t, said, "producers: who is connected to write isn't told by source broker broker-a")

	r.importAll([]string{orders}, []string{group}, nil)
	r.replicate()
	r.must(NewReplication(r.settings), "AwaitDrained",
		TopicsRequest{Request: r.request(), Side: api.Source, Topics: api.Some(orders)}, nil)
	var l api.Ledger
	r.must(NewLedgers(r.settings), "Ledger", r.request(), &l)
	rows, _ := l.Rows.Inline()
	found := false
	for _, row := range rows {
		found = found || row.Kind == ledger.KindProducers && row.Object == "broker broker-a" && row.Rest == 1 &&
			strings.Contains(row.Detail, "see yourself that nobody does")
	}
	assert.True(t, found, "%v", rows)
}

// A topic that clients see in two clusters of one list of name servers would be copied from one of
// them, and its consumers moved away from the other.
func TestLiveATopicInTwoClustersOfTheSourcesNameServersIsRefused(t *testing.T) {
	t.Parallel()
	one := labtest.OwnCluster(t, lab.ClusterSpec{Name: "One", Version: "4.9.7", BrokerNames: []string{"broker-a"}})
	r := newRigBetween(t, one, labtest.Cluster(t, "5.3.3"), "twice", nil)
	r.plan.Source.Cluster = "One"
	r.group("billing")
	alone, both := r.own+"-alone", r.own+"-both"
	r.create(r.source, "broker-a", alone, 2)
	r.create(r.source, "broker-a", both, 2)
	labtest.Register(t, one.NameServers[0], "Two", "broker-b", both, 2)
	refusals := func() map[string]string {
		var a api.Assessment
		r.must(NewAssess(r.settings), "Assess", r.request(), &a)
		all := map[string]string{}
		for _, f := range a.Findings {
			if f.Refusal {
				all[f.Object] = f.Cause
			}
		}
		return all
	}
	r.eventually("name servers show it", func() bool { return len(refusals()) > 0 })
	assert.Equal(t, map[string]string{
		"topic " + both: "clients also see its 2 queues on broker broker-b of cluster Two, which isn't looked at",
	}, refusals())
	r.plan.Source.LeftOut = []string{"broker-b"}
	assert.Empty(t, refusals(), "the person says so")
}
