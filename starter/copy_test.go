package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/plan"
	"rocketshift/replicator"
)

func TestMistakesOfACopyAreToldByFlagWithExitCode2(t *testing.T) {
	const sides = "copy --source 10.0.0.1:9876 --target 10.0.9.1:9876"
	for line, want := range map[string]string{
		"copy":                              "copy has 3 problems:\n  --source: missing; want at least one host:port of the source's name servers\n  --target: missing; want at least one host:port of the target's name servers\n  --topic: missing",
		sides:                               "copy: --topic: missing; want at least one topic",
		sides + " now":                      "unknown command",
		sides + " --topic t --source-id ,":  `copy: --source-id: ","; want 1 to 32 letters`,
		sides + " --topic t --rename u=v":   `copy: --rename: no topic of that name moves`,
		sides + " --topic t,u --rename t=u": `copy: --rename: topics "t" and "u" would both be "u" on the target`,
		sides + " --topic t --prefix e/u":   `copy: --prefix: "e/u"; allowed: letters`,
		sides + " --topic t --name A":       `copy: --name: "A"; allowed: 1 to 40 small letters`,
		sides + " --topic t --source-id x --target-id x":                        `copy: --target-id: "x" is the source's id too`,
		sides + " --topic t --target-credentials NEW":                           "copy: --target-credentials: the environment has no NEW_ACCESS_KEY and NEW_SECRET_KEY; set both",
		sides + " --topic t --source-credentials OLD --target-credentials HALF": "copy: --target-credentials: the environment has no HALF_ACCESS_KEY and HALF_SECRET_KEY",
		sides + " --topic t --source-credentials secret-key":                    "copy: --source-credentials: want a prefix of environment variables",
		"copy --source a --target 10.0.9.1:9876 --topic t":                      `copy: --source: "a"; want host:port`,
		"copy --source localhost:9876 --target 127.0.0.1:9876 --topic t":        `copy: --target: "127.0.0.1:9876" is a name server of the source too; source and target must be two clusters`,
	} {
		t.Run(line, func(t *testing.T) {
			env := map[string]string{"OLD_ACCESS_KEY": "a", "OLD_SECRET_KEY": "s", "HALF_ACCESS_KEY": "a"}
			o := rocketshiftIn(t, nil, "", env, strings.Fields(line)...)
			assert.Equal(t, exitUsage, o.code)
			assert.Contains(t, o.stderr, want)
			assert.NotContains(t, o.stderr, "secret-key", "what may be a key isn't shown")
			assert.Empty(t, o.stdout)

			doc := rocketshiftIn(t, nil, "", env, append(strings.Fields(line), "-o", "json")...).document(t)
			assert.EqualValues(t, exitUsage, doc["exitCode"])
		})
	}
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

func TestAClusterThatDoesNotAnswerFailsWithItsSideAndFlag(t *testing.T) {
	a, stdout, stderr := capture()
	code := a.run(shortContext(t, guard), strings.Fields("copy --source 127.0.0.1:1 --target 127.0.0.1:2 --topic t"))
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr.String(), "rocketshift: source 127.0.0.1:1 doesn't answer: ")
	assert.Contains(t, stderr.String(), "; start it, or correct --source\n")
	assert.Empty(t, stdout.String())
}

func TestRateAndTimeLeftFollowTheLastSeconds(t *testing.T) {
	clock := noon
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

func faulty() replicator.Progress {
	return replicator.Progress{Lanes: 2, CaughtUp: 1, Waiting: "target broker b is down", Faults: []replicator.LaneFault{{
		Topic: "orders", Broker: "broker-a", Queue: 3, Type: replicator.SourceTruncated, From: 5, To: 9, Cause: "they expired",
		Next: "Set the offset, then try again",
	}}}
}

func TestFaultsNameObjectCauseAndNextActionOfThisCommand(t *testing.T) {
	m := meter{now: func() time.Time { return noon }}
	s := m.state(faulty())
	require.Len(t, s.Faults, 1)
	assert.Equal(t, "SourceTruncated: topic orders, source queue broker-a/3, offsets 5 to 9: they expired. Set the offset, then try again", s.Faults[0].Text)
	asJSON, err := json.Marshal(s)
	require.NoError(t, err)
	assert.Contains(t, string(asJSON), `"topic":"orders","broker":"broker-a","queue":3,"type":"SourceTruncated"`)
	var said []string
	for _, f := range s.facts() {
		said = append(said, f.text)
	}
	assert.Contains(t, said, "waiting: target broker b is down")
	assert.Contains(t, said, "fault: "+s.Faults[0].Text)
}

func TestACopyThatFoundDifferencesOrFaultsSaysSoByItsExitCode(t *testing.T) {
	different := replicator.LaneReport{Topic: "orders", Compared: 9, Missing: 1, Examples: []string{"missing: offsets 3 to 3"}}
	for name, c := range map[string]struct {
		v     copyVerdict
		wants []string
	}{
		"differences": {copyVerdict{Verdict: verdictDifferences, Differences: []replicator.LaneReport{different}, Missing: 1, Compared: 9, ExitCode: exitDiffers}, []string{"9 copies: 1 missing", "missing: offsets 3 to 3"}},
		"faults":      {copyVerdict{Verdict: verdictFaults, Faults: faultsIn(faulty()), ExitCode: exitDiffers, Next: "do"}, []string{"then try again", "Next       do"}},
		"stopped":     {copyVerdict{Verdict: verdictStopped, Copied: 1234, Lag: 7, Natives: 2, Back: &copyBack{Copied: 3, Lag: 4}}, []string{"1,234 messages", "Left       7", "2 messages on the target", "3 messages copied to the source, 4 left"}},
	} {
		a, out, _ := capture()
		a.showVerdict(c.v)
		assert.Contains(t, out.String(), "Verdict    "+name)
		for _, want := range c.wants {
			assert.Contains(t, out.String(), want, name)
		}
	}
}

func TestTheBarShowsTheStateAndEndsWithIt(t *testing.T) {
	assert.Equal(t, []string{"waiting: for a broker ", "that is down"}, wrapped("waiting: for a broker that is down", 22))
	screen := terminal(t, 100, 30)
	a := newApp(nil, screen, nil, func(string) (string, bool) { return "", false })
	width, ok := a.screen()
	require.True(t, ok)
	m := meter{now: time.Now, total: 10}
	for range 5 { // ending right after the beginning is what may go wrong
		v := a.bar(width)
		v.show(m.state(faulty()))
		v.end()
	}
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

		v, err = c.judge(t.Context(), ran{progress: faulty()}, nil)
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
	assert.True(t, lane.stopped(faulty()))
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
