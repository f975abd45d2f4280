package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/copyjob"
	"rocketshift/internal/failure"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/verify"
)

func TestMistakesOfACopyAreToldByFlagWithExitCode2(t *testing.T) {
	const sides = "copy --source 10.0.0.1:9876 --target 10.0.9.1:9876"
	for line, want := range map[string]string{
		"copy": "copy has 3 problems:\n  --source: missing; want at least one " +
			"host:port of the source's name servers\n  --target: missing; want at least one host:port of the " +
			"target's name servers\n  --topic: missing",
		sides:                                            "copy: --topic: missing; want at least one topic",
		sides + " now":                                   "unknown command",
		sides + " --topic t --source-id ,":               `copy: --source-id: ","; want 1 to 32 letters`,
		sides + " --topic t --rename u=v":                `copy: --rename: no topic of that name moves`,
		sides + " --topic t,u --rename t=u":              `copy: --rename: topics "t" and "u" would both be "u" on the target`,
		sides + " --topic t --prefix e/u":                `copy: --prefix: "e/u"; allowed: letters`,
		sides + " --topic t --name A":                    `copy: --name: "A"; allowed: 1 to 40 small letters`,
		sides + " --topic t --source-id x --target-id x": `copy: --target-id: "x" is the source's id too`,
		sides + " --topic t --target-credentials NEW": "copy: --target-credentials: the environment has " +
			"no NEW_ACCESS_KEY and NEW_SECRET_KEY; set both",
		sides + " --topic t --source-credentials OLD --target-credentials HALF": "copy: --target-credentials: the environment has no HALF_ACCESS_KEY and HALF_SECRET_KEY",
		sides + " --topic t --source-credentials secret-key":                    "copy: --source-credentials: want a prefix of environment variables",
		"copy --source a --target 10.0.9.1:9876 --topic t":                      `copy: --source: "a"; want host:port`,
		"copy --source localhost:9876 --target 127.0.0.1:9876 --topic t":        `copy: --target: "127.0.0.1:9876" is a name server of the source too; source and target must be two clusters`,
	} {
		t.Run(line, func(t *testing.T) {
			env := map[string]string{"OLD_ACCESS_KEY": "a", "OLD_SECRET_KEY": "s", "HALF_ACCESS_KEY": "a"}
			o := rocketshiftIn(t, nil, "", env, strings.Fields(line)...)
			assert.Equal(t, failure.BadUsage, o.code)
			assert.Contains(t, o.stderr, want)
			assert.NotContains(t, o.stderr, "secret-key", "what may be a key isn't shown")
			assert.Empty(t, o.stdout)

			doc := rocketshiftIn(t, nil, "", env, append(strings.Fields(line), "-o", "json")...).document(t)
			assert.EqualValues(t, failure.BadUsage, doc["exitCode"])
		})
	}
}

func TestAClusterThatDoesNotAnswerFailsWithItsSideAndFlag(t *testing.T) {
	a, stdout, stderr := capture()
	code := a.run(shortContext(t, guard), strings.Fields("copy --source 127.0.0.1:1 --target 127.0.0.1:2 --topic t"))
	assert.Equal(t, failure.Failed, code)
	assert.Contains(t, stderr.String(), "rocketshift: source 127.0.0.1:1 doesn't answer: ")
	assert.Contains(t, stderr.String(), "; start it, or correct --source\n")
	assert.Empty(t, stdout.String())
}

func faulty() lane.Progress {
	return lane.Progress{Lanes: 2, CaughtUp: 1, Waiting: "target broker b is down", Faults: []lane.Fault{{
		Topic: "orders", Broker: "broker-a", Queue: 3, Type: lane.SourceTruncated, From: 5, To: 9,
		Cause: "they expired", Next: "Set the offset, then try again",
	}}}
}

func TestFaultsNameObjectCauseAndNextActionOfThisCommand(t *testing.T) {
	m := copyjob.Meter{Now: func() time.Time { return noon }}
	s := m.State(faulty())
	require.Len(t, s.Faults, 1)
	assert.Equal(
		t,
		"SourceTruncated: topic orders, source queue broker-a/3, offsets 5 to 9: they expired. Set the "+
			"offset, then try again",
		s.Faults[0].Text,
	)
	asJSON, err := json.Marshal(s)
	require.NoError(t, err)
	assert.Contains(t, string(asJSON), `"topic":"orders","broker":"broker-a","queue":3,"type":"SourceTruncated"`)
	var said []string
	for _, f := range factsOfCopy(s) {
		said = append(said, f.Text)
	}
	assert.Contains(t, said, "waiting: target broker b is down")
	assert.Contains(t, said, "fault: "+s.Faults[0].Text)
}

func TestACopyThatFoundDifferencesOrFaultsSaysSoByItsExitCode(t *testing.T) {
	different := verify.Report{Topic: "orders", Compared: 9, Missing: 1, Examples: []string{"missing: offsets 3 to 3"}}
	for name, c := range map[string]struct {
		v     copyjob.Verdict
		wants []string
	}{
		"differences": {copyjob.Verdict{Verdict: copyjob.VerdictDifferences, Differences: []verify.Report{different}, Missing: 1, Compared: 9, ExitCode: failure.Differs}, []string{"9 copies: 1 missing", "missing: offsets 3 to 3"}},
		"faults":      {copyjob.Verdict{Verdict: copyjob.VerdictFaults, Faults: copyjob.FaultsIn(faulty()), ExitCode: failure.Differs, Next: "do"}, []string{"then try again", "Next       do"}},
		"stopped":     {copyjob.Verdict{Verdict: copyjob.VerdictStopped, Copied: 1234, Lag: 7, Natives: 2, Back: &copyjob.Back{Copied: 3, Lag: 4}}, []string{"1,234 messages", "Left       7", "2 messages on the target", "3 messages copied to the source, 4 left"}},
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
	assert.Equal(t, []string{"waiting: for a broker ", "that is down"},
		wrapped("waiting: for a broker that is down", 22))
	screen := terminal(t, 100, 30)
	a := newApp(nil, screen, nil, func(string) (string, bool) { return "", false })
	width, ok := a.screen()
	require.True(t, ok)
	m := copyjob.Meter{Now: time.Now, Total: 10}
	for range 5 { // ending right after the beginning is what may go wrong
		v := a.bar(width)
		v.show(m.State(faulty()))
		v.end()
	}
}
