package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/plan"
	"rocketshift/replicator"
)

func faultyLanes() replicator.Progress {
	return replicator.Progress{Lanes: 2, CaughtUp: 1, Waiting: "target broker b is down", Faults: []replicator.LaneFault{{
		Topic: "orders", Broker: "broker-a", Queue: 3, Type: replicator.SourceTruncated, From: 5, To: 9, Cause: "they expired",
		Next: "Set the offset, then try again",
	}}}
}

func TestACopyIsNamedByItsClustersAndTopicsCountOnce(t *testing.T) {
	f := copyFlags{source: []string{"10.0.0.2:9876;10.0.0.1:9876"}, target: []string{"10.0.9.1:9876"}, topics: []string{"b", "a", "b"}, sourceCredentials: "OLD"}
	env := map[string]string{"OLD_ACCESS_KEY": "a", "OLD_SECRET_KEY": "s", "OLD_SECURITY_TOKEN": "t"}
	q, err := f.request(func(k string) (string, bool) { v, ok := env[k]; return v, ok })
	require.NoError(t, err)
	source, target := plan.ClusterID([]string{"10.0.0.1:9876", "10.0.0.2:9876"}), plan.ClusterID([]string{"10.0.9.1:9876"})
	assert.Equal(t, replicator.Names{Group: "rocketshift-copy-" + source + "-" + target, Source: source, Target: target}, q.names)
	assert.Equal(t, []string{"a", "b"}, q.topics)
	assert.Equal(t, "s", q.from.credentials.SecretKey)
	assert.Nil(t, q.to.credentials)
	assert.NotContains(t, q.from.String(), "OLD")

	assert.Equal(t, "old-new", copyName("old", "new"))
	for _, other := range []string{copyName("a-b", "c"), copyName("a", "b-c"), copyName("A", "c"), copyName(strings.Repeat("x", 32), strings.Repeat("y", 32))} {
		p := plan.Plan{Name: other, Source: plan.Cluster{NameServers: []string{"10.0.0.1:9876"}}, Target: plan.Target{Provider: plan.ProviderLocal}}
		assert.NoError(t, p.Validate(), other)
		assert.NotEqual(t, "a-b-c", other)
	}
}

func TestRateAndTimeLeftFollowTheLastSeconds(t *testing.T) {
	clock := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	m := meter{now: func() time.Time { return clock }, total: 1000}
	var s copyState
	for i := range int64(20) {
		s = m.state(replicator.Progress{Lanes: 2, Copied: 10 * i, Lag: 1000 - 10*i})
		clock = clock.Add(time.Second)
	}
	assert.EqualValues(t, 10, s.PerSecond)
	require.NotNil(t, s.ETA)
	assert.EqualValues(t, 81, *s.ETA)
	assert.Equal(t, "190 of 1,000 messages copied, 10/s, 810 behind, 0 of 2 lanes caught up, about 1m21s left", s.String())
	for range 20 {
		s = m.state(replicator.Progress{Lanes: 2, Copied: 190, Lag: 810})
		clock = clock.Add(time.Second)
	}
	assert.Nil(t, s.ETA, "nobody knows when a copy ends that doesn't move")

	follow := meter{now: func() time.Time { return clock }}
	s = follow.state(replicator.Progress{Lanes: 1, Copied: 30, Lag: 10, Back: &replicator.Progress{Lanes: 1, Copied: 2, Lag: 3, Waiting: "for x"}})
	done, total := s.done()
	assert.Equal(t, [2]int64{30, 40}, [2]int64{done, total})
	assert.Equal(t, "back to the source: for x", s.Waiting)
	assert.Contains(t, s.String(), "; back: 2 copied, 3 behind")
}

func TestACopyThatIsInterruptedSaysHowToGoOnAndOneThatFollowedIsDone(t *testing.T) {
	p := ran{progress: replicator.Progress{Lanes: 1, Copied: 5, Lag: 3}}
	for follow, want := range map[bool]copyVerdict{
		false: {Verdict: verdictInterrupted, ExitCode: exitFailed, Next: runAgain},
		true:  {Verdict: verdictStopped, ExitCode: exitDone, Next: runAgain + "; without --follow it compares all copies with their originals"},
	} {
		c := &copying{copyRequest: copyRequest{follow: follow}, lanes: make([]replicator.Lane, 1)}
		want.Lanes, want.Copied, want.Lag = 1, 5, 3
		v, err := c.judge(t.Context(), p, nil)
		require.NoError(t, err)
		assert.Equal(t, want, v)

		v, err = c.judge(t.Context(), ran{progress: faultyLanes()}, nil)
		require.NoError(t, err)
		assert.Equal(t, [2]any{verdictFaults, exitDiffers}, [2]any{v.Verdict, v.ExitCode})
	}
}

func TestLanesCountAsCaughtUpOrStoppedInBothDirections(t *testing.T) {
	fault := []replicator.LaneFault{{Topic: "orders", Broker: "broker-a", Queue: 3}}
	for name, c := range map[string]struct {
		p                    replicator.Progress
		caughtUp, allStopped bool
	}{
		"not begun":          {replicator.Progress{Lanes: 1}, false, false},
		"caught up":          {replicator.Progress{Lanes: 1, CaughtUp: 1}, true, false},
		"one stopped":        {replicator.Progress{Lanes: 2, CaughtUp: 1, Faults: fault}, true, false},
		"all stopped":        {replicator.Progress{Lanes: 1, Faults: fault}, true, true},
		"one way stopped":    {replicator.Progress{Lanes: 1, Faults: fault, Back: &replicator.Progress{Lanes: 1, CaughtUp: 1}}, true, false},
		"both ways stopped":  {replicator.Progress{Lanes: 1, Faults: fault, Back: &replicator.Progress{Lanes: 1, Faults: fault}}, true, true},
		"the other way lags": {replicator.Progress{Lanes: 1, CaughtUp: 1, Back: &replicator.Progress{Lanes: 1}}, false, false},
	} {
		assert.Equal(t, [2]bool{c.caughtUp, c.allStopped}, [2]bool{caughtUp(c.p), allStopped(c.p)}, name)
	}
	lane := goal{lane: replicator.Lane{Topic: "orders", Source: replicator.Queue{Broker: "broker-a", ID: 3}}}
	assert.True(t, lane.stopped(faultyLanes()))
	lane.back = true
	assert.False(t, lane.stopped(replicator.Progress{Faults: fault, Back: &replicator.Progress{}}), "the fault is of the other direction")
	assert.True(t, lane.stopped(replicator.Progress{Back: &replicator.Progress{Faults: fault}}))
}

func TestATargetBehindAProxyIsOneAddressAndCreatesNothing(t *testing.T) {
	f := copyFlags{source: []string{"10.0.0.1:9876"}, targetProxy: "10.0.9.1:8080", topics: []string{"a"}}
	q, err := f.request(func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	assert.Equal(t, "10.0.9.1:8080", q.to.open().Proxy())
	assert.Equal(t, plan.ClusterID([]string{"10.0.9.1:8080"}), q.names.Target)

	f.target, f.create, f.targetProxy = []string{"10.0.9.1:9876"}, true, "10.0.9.1"
	_, err = f.request(func(string) (string, bool) { return "", false })
	for _, want := range []string{"--target-proxy: \"10.0.9.1\"; want host:port", "--target is given too", "a proxy creates no topics"} {
		assert.ErrorContains(t, err, want)
	}
}
