package copyjob

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/failure"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

func faultyLanes() lane.Progress {
	return lane.Progress{Lanes: 2, CaughtUp: 1, Waiting: "target broker b is down", Faults: []lane.Fault{{
		Topic: "orders", Broker: "broker-a", Queue: 3, Type: lane.SourceTruncated, From: 5, To: 9,
		Cause: "they expired", Next: "Set the offset, then try again",
	}}}
}

func TestACopyIsNamedByItsClustersAndTopicsCountOnce(t *testing.T) {
	f := Flags{
		Source:            []string{"10.0.0.2:9876;10.0.0.1:9876"},
		Target:            []string{"10.0.9.1:9876"},
		Topics:            []string{"b", "a", "b"},
		SourceCredentials: "OLD",
	}
	env := map[string]string{"OLD_ACCESS_KEY": "a", "OLD_SECRET_KEY": "s", "OLD_SECURITY_TOKEN": "t"}
	q, err := f.Request(func(k string) (string, bool) { v, ok := env[k]; return v, ok })
	require.NoError(t, err)
	source, target := plan.ClusterID(
		[]string{"10.0.0.1:9876", "10.0.0.2:9876"},
	), plan.ClusterID(
		[]string{"10.0.9.1:9876"},
	)
	assert.Equal(t,
		replica.Names{Group: "rocketshift-copy-" + source + "-" + target, Source: source, Target: target},
		q.names)
	assert.Equal(t, []string{"a", "b"}, q.topics)
	assert.Equal(t, "s", q.From.credentials.SecretKey)
	assert.Nil(t, q.To.credentials)
	assert.NotContains(t, q.From.String(), "OLD")

	assert.Equal(t, "old-new", NameOf("old", "new"))
	for _, other := range []string{NameOf("a-b", "c"), NameOf("a", "b-c"), NameOf("A", "c"), NameOf(strings.Repeat("x", 32), strings.Repeat("y", 32))} {
		p := plan.Plan{
			Name:   other,
			Source: plan.Cluster{NameServers: []string{"10.0.0.1:9876"}},
			Target: plan.Target{Provider: plan.ProviderLocal},
		}
		assert.NoError(t, p.Validate(), other)
		assert.NotEqual(t, "a-b-c", other)
	}
}

func TestRateAndTimeLeftFollowTheLastSeconds(t *testing.T) {
	clock := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	m := Meter{Now: func() time.Time { return clock }, Total: 1000}
	var s State
	for i := range int64(20) {
		s = m.State(lane.Progress{Lanes: 2, Copied: 10 * i, Lag: 1000 - 10*i})
		clock = clock.Add(time.Second)
	}
	assert.EqualValues(t, 10, s.PerSecond)
	require.NotNil(t, s.ETA)
	assert.EqualValues(t, 81, *s.ETA)
	assert.Equal(t, "190 of 1,000 messages copied, 10/s, 810 behind, 0 of 2 lanes caught up, about 1m21s left",
		s.String())
	for range 20 {
		s = m.State(lane.Progress{Lanes: 2, Copied: 190, Lag: 810})
		clock = clock.Add(time.Second)
	}
	assert.Nil(t, s.ETA, "nobody knows when a copy ends that doesn't move")

	follow := Meter{Now: func() time.Time { return clock }}
	s = follow.State(
		lane.Progress{
			Lanes:  1,
			Copied: 30,
			Lag:    10,
			Back:   &lane.Progress{Lanes: 1, Copied: 2, Lag: 3, Waiting: "for x"},
		},
	)
	done, total := s.Done()
	assert.Equal(t, [2]int64{30, 40}, [2]int64{done, total})
	assert.Equal(t, "back to the source: for x", s.Waiting)
	assert.Contains(t, s.String(), "; back: 2 copied, 3 behind")
}

func TestACopyThatIsInterruptedSaysHowToGoOnAndOneThatFollowedIsDone(t *testing.T) {
	p := ran{progress: lane.Progress{Lanes: 1, Copied: 5, Lag: 3}}
	for follow, want := range map[bool]Verdict{
		false: {Verdict: VerdictInterrupted, ExitCode: failure.Failed, Next: runAgain},
		true: {Verdict: VerdictStopped, ExitCode: failure.Done, Next: runAgain + "; without --follow it " +
			"compares all copies with their originals"},
	} {
		c := &Job{Request: Request{follow: follow}, lanes: make([]lane.Lane, 1)}
		want.Lanes, want.Copied, want.Lag = 1, 5, 3
		v, err := c.Judge(t.Context(), p, nil)
		require.NoError(t, err)
		assert.Equal(t, want, v)

		v, err = c.Judge(t.Context(), ran{progress: faultyLanes()}, nil)
		require.NoError(t, err)
		assert.Equal(t, [2]any{VerdictFaults, failure.Differs}, [2]any{v.Verdict, v.ExitCode})
	}
}

func TestLanesCountAsCaughtUpOrStoppedInBothDirections(t *testing.T) {
	fault := []lane.Fault{{Topic: "orders", Broker: "broker-a", Queue: 3}}
	for name, c := range map[string]struct {
		p                    lane.Progress
		caughtUp, allStopped bool
	}{
		"not begun":          {lane.Progress{Lanes: 1}, false, false},
		"caught up":          {lane.Progress{Lanes: 1, CaughtUp: 1}, true, false},
		"one stopped":        {lane.Progress{Lanes: 2, CaughtUp: 1, Faults: fault}, true, false},
		"all stopped":        {lane.Progress{Lanes: 1, Faults: fault}, true, true},
		"one way stopped":    {lane.Progress{Lanes: 1, Faults: fault, Back: &lane.Progress{Lanes: 1, CaughtUp: 1}}, true, false},
		"both ways stopped":  {lane.Progress{Lanes: 1, Faults: fault, Back: &lane.Progress{Lanes: 1, Faults: fault}}, true, true},
		"the other way lags": {lane.Progress{Lanes: 1, CaughtUp: 1, Back: &lane.Progress{Lanes: 1}}, false, false},
	} {
		assert.Equal(t, [2]bool{c.caughtUp, c.allStopped}, [2]bool{caughtUp(c.p), allStopped(c.p)}, name)
	}
	l := goal{lane: lane.Lane{Topic: "orders", Source: lane.Queue{Broker: "broker-a", ID: 3}}}
	assert.True(t, l.stopped(faultyLanes()))
	l.back = true
	assert.False(t, l.stopped(lane.Progress{Faults: fault, Back: &lane.Progress{}}),
		"the fault is of the other direction")
	assert.True(t, l.stopped(lane.Progress{Back: &lane.Progress{Faults: fault}}))
}

func TestATargetBehindAProxyIsOneAddressAndCreatesNothing(t *testing.T) {
	f := Flags{Source: []string{"10.0.0.1:9876"}, TargetProxy: "10.0.9.1:8080", Topics: []string{"a"}}
	q, err := f.Request(func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	assert.Equal(t, "10.0.9.1:8080", q.To.Open().Proxy())
	assert.Equal(t, plan.ClusterID([]string{"10.0.9.1:8080"}), q.names.Target)

	f.Target, f.Create, f.TargetProxy = []string{"10.0.9.1:9876"}, true, "10.0.9.1"
	_, err = f.Request(func(string) (string, bool) { return "", false })
	for _, want := range []string{"--target-proxy: \"10.0.9.1\"; want host:port", "--target is given too", "a proxy creates no topics"} {
		assert.ErrorContains(t, err, want)
	}
}
