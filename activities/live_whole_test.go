package activities

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
)

// Two name servers know a broker each, of one cluster. Before, the first that answered was taken for
// all: half of the messages were copied, the target's topics had half of the queues, and the verdict
// was clean.
func TestLiveHalfAClusterIsNeverCalledClean(t *testing.T) {
	t.Parallel()
	one := labtest.Cluster(t, "4.9.7")
	other := labtest.OwnCluster(t, lab.ClusterSpec{Version: "4.9.7", BrokerNames: []string{"broker-alone"}})
	r := newRigBetween(t, one, labtest.Cluster(t, "5.3.3"), "half", nil)
	topic, group := r.topic("orders", 1), r.group("billing")
	r.plan.Source.NameServers = append(r.plan.Source.NameServers, other.NameServers...)

	var found Inventory
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

	wanted := MetadataRequest{Request: r.request(), Topics: Some(topic), Groups: Some(group)}
	for name, ask := range map[string]func() error{
		"Diff":   func() error { return ask(t, NewMetadata(r.settings), "Diff", wanted, nil) },
		"Apply":  func() error { return ask(t, NewMetadata(r.settings), "Apply", wanted, nil) },
		"State":  func() error { return ask(t, NewReplication(r.settings), "State", r.request(), nil) },
		"Ledger": func() error { return ask(t, NewLedgers(r.settings), "Ledger", r.request(), nil) },
		"Verify": func() error {
			return ask(t, NewVerifier(r.settings), "Verify", VerifyRequest{Request: r.request(), Topics: Some(topic)}, nil)
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
