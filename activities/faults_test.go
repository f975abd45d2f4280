package activities

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// deadSides are a source and a target that nobody serves.
func deadSides(t *testing.T) clusters.Both {
	t.Helper()
	s := Settings{Root: t.TempDir(), Clusters: connect.NewPool()}.withDefaults()
	t.Cleanup(s.Clusters.Close)
	both, err := s.clusters().Both(t.Context(), plan.Plan{
		Name: "dead", Source: plan.Cluster{NameServers: []string{"127.0.0.1:1"}},
		Target: plan.Target{Provider: plan.ProviderExisting, NameServers: []string{"127.0.0.1:2"}},
	}.WithDefaults())
	require.NoError(t, err)
	return both
}

// Lanes ask both sides. Rollback would take a source that doesn't answer for a target that doesn't,
// and open the source at old positions while the target is healthy.
func TestASourceThatDoesNotAnswerIsNoTargetThatDoesNot(t *testing.T) {
	both := deadSides(t)
	one := clusters.TopicTable{"orders": {
		"broker-a": rocketmq.TopicConfig{Name: "orders", ReadQueues: 1, WriteQueues: 1, Perm: 6},
	}}
	l := clusters.Layout{SourceTopics: one, TargetTopics: one}
	// what producers wrote on the target, as for a Rollback
	_, err := measure.Natives(t.Context(), both, l, api.Target, []string{"orders"})
	require.ErrorContains(t, err, "source broker broker-a: name server 127.0.0.1:1: can't be reached")
	assert.Equal(t, SourceUnreachableType, typeOf(err), "%v", err)
	// what they wrote on the source, which the target's copies tell
	_, err = measure.Natives(t.Context(), both, l, api.Source, []string{"orders"})
	require.Error(t, err)
	assert.Contains(t, []string{SourceUnreachableType, TargetUnreachableType}, typeOf(err))
}

func TestTheSideOfAFaultIsKnown(t *testing.T) {
	both := deadSides(t)
	for side, c := range map[api.Side]*clusters.One{api.Source: both.Source, api.Target: both.Target} {
		failed := c.Explain(t.Context(), assert.AnError)
		assert.Equal(t, CallFailedType, typeOf(failed))
		assert.Equal(t, side, FaultOf(failed))
		assert.Equal(t, side, FaultOf(fault.Unreachable(side, nil, "away")))
		assert.Equal(t, side, FaultOf(fault.Of(side, fault.AccessDenied(nil, "refused"))))
	}
	assert.Empty(t, FaultOf(nil))
	assert.Empty(t, FaultOf(assert.AnError))
	assert.Empty(t, FaultOf(fault.AccessDenied(nil, "a token is refused")))
	assert.Empty(t, FaultOf(fault.Of(api.Target, fault.NotReady("2 members left"))), "that is no fault")
}

func TestBrokersThatAreDownAreNotThoseThatAnswer(t *testing.T) {
	there, err := deadSides(t).Source.Answering(t.Context(), []rocketmq.Broker{
		{Name: "broker-a", Addr: "127.0.0.1:1"}, {Name: "broker-b", Addr: "127.0.0.1:2"},
	})
	assert.Empty(t, there)
	assert.Equal(t, SourceUnreachableType, typeOf(err))
}

func TestWhatWasClosedBeforeIsNotOnRecord(t *testing.T) {
	got, err := NewReturns(Settings{}).recorded(t.Context(), SurveyRequest{
		Recorded: []string{
			"a",
		}, RecordedIn: []api.Names{api.Some("b", "theirs")}, Closed: api.Collected{Named: []string{"theirs"}},
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, got)
}
