package driver

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/lab"
)

// fakeCLI notes its arguments and answers with the exit code in code.txt, if that is there.
const fakeCLI = `#!/bin/sh
dir="$(dirname "$0")"
echo "$@" >> "$dir/said.txt"
exit "$(cat "$dir/code.txt" 2>/dev/null || echo 0)"
`

// stage is a watcher with a fake command line and fake applications.
type stage struct {
	*watcher
	t   *testing.T
	out *bytes.Buffer
	bin string
}

func newStage(t *testing.T, o Options) *stage {
	t.Helper()
	o.Root = t.TempDir()
	o = o.withDefaults()
	s := &stage{t: t, out: &bytes.Buffer{}, bin: filepath.Join(o.Root, "bin")}
	require.NoError(t, os.MkdirAll(s.bin, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(s.bin, "rocketshift"), []byte(fakeCLI), 0o755))
	d := &demo{
		o:        o,
		console:  newConsole(s.out),
		dir:      o.Root,
		temporal: &lab.Temporal{Address: "t:1", UIAddress: "http://t:2"},
	}
	d.fleet, _ = testFleet(t)
	d.tail = newLedgerTail(d.fleet)
	s.watcher = d.watcher()
	return s
}

// said is what the command line was asked to do.
func (s *stage) said() []string {
	text, err := os.ReadFile(filepath.Join(s.bin, "said.txt"))
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(s.t, err)
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

func (s *stage) exits(code string) {
	require.NoError(s.t, os.WriteFile(filepath.Join(s.bin, "code.txt"), []byte(code), 0o644))
}

func waiting(w ...api.Waiting) api.Status {
	return api.Status{State: api.StateWaiting, Waiting: w}
}

func approval(gate string) api.Waiting {
	return api.Waiting{Kind: api.WaitingApproval, Gate: gate, Text: "why not", Since: time.Unix(1, 0)}
}

func TestTheDemoApprovesEachQuestionOnce(t *testing.T) {
	s := newStage(t, Options{})
	for range 3 {
		_, err := s.turn(t.Context(), waiting(approval("shift-25")))
		require.NoError(t, err)
	}
	again := approval("shift-25")
	again.Since = time.Unix(2, 0)
	_, err := s.turn(t.Context(), waiting(again))
	require.NoError(t, err)
	said := s.said()
	require.Len(t, said, 2, "once for each question")
	require.Equal(t, "approve demo shift-25 --by demo --reason the demo approves what it is asked for", said[0])
}

func TestAPersonIsToldHowToApprove(t *testing.T) {
	s := newStage(t, Options{Approve: ApproveMe})
	for range 2 {
		_, err := s.turn(t.Context(), waiting(approval("purchase")))
		require.NoError(t, err)
	}
	require.Empty(t, s.said(), "the person approves, not the demo")
	require.Contains(t, s.out.String(), "http://t:2/namespaces/default/workflows/migration-demo")
	require.Contains(t, s.out.String(),
		"TEMPORAL_ADDRESS=t:1 "+filepath.Join(s.bin, "rocketshift")+" approve demo purchase --by YOU --reason WHY")
	require.Equal(t, 1, strings.Count(s.out.String(), "your approval of purchase"))
}

func TestThePipelineReleasesWhatIsAskedForAndSaysSo(t *testing.T) {
	s := newStage(t, Options{})
	asked := api.Waiting{
		Kind: api.WaitingRelease, Groups: api.Some("billing"), Topics: api.Some("payments"), To: api.Target,
		NameServers: []string{"target:1"}, Since: time.Unix(1, 0),
	}
	for range 2 {
		_, err := s.turn(t.Context(), waiting(asked))
		require.NoError(t, err)
	}
	require.Equal(t, []string{"target:1"}, s.fleet.consumers["billing"].servers)
	for _, a := range s.fleet.producers["payments"] {
		require.Equal(t, []string{"target:1"}, a.servers)
	}
	require.Nil(t, s.fleet.consumers["archive"].process, "nobody else is touched")
	require.Equal(t, []string{"released demo --by demo-pipeline --group billing --topic payments"}, s.said())
}

func TestAMigrationThatStopsForAPersonEndsTheDemo(t *testing.T) {
	s := newStage(t, Options{})
	_, err := s.turn(t.Context(),
		waiting(api.Waiting{Kind: api.WaitingGate, Gate: api.ResumeName, Text: "Verify: 3 missing"}))
	require.ErrorContains(t, err, "waits for a person: Verify: 3 missing")
}

func TestTheWatchEndsWithTheMigration(t *testing.T) {
	s := newStage(t, Options{})
	ended, err := s.turn(t.Context(), api.Status{State: api.StateDone})
	require.True(t, ended)
	require.NoError(t, err)
	ended, err = s.turn(t.Context(), api.Status{State: api.StateFailed, Error: "because"})
	require.True(t, ended)
	require.ErrorContains(t, err, "failed: because")
	ended, err = s.turn(t.Context(), api.Status{State: api.StateRolledBack})
	require.True(t, ended)
	require.ErrorContains(t, err, "nobody was to ask for it")
}

func TestTheWayBackIsAskedForOnceInTheSoakOfItsStep(t *testing.T) {
	s := newStage(t, Options{BackAt: 50})
	soaking := func(step int, state string) api.Status {
		return api.Status{State: api.StateRunning, Waves: []api.WaveStatus{{Step: step, State: state}}}
	}
	for _, status := range []api.Status{
		soaking(25, api.WaveSoak), soaking(50, api.WaveProducers), soaking(50, api.WaveSoak), soaking(50, api.WaveSoak),
	} {
		_, err := s.turn(t.Context(), status)
		require.NoError(t, err)
	}
	require.Equal(t, []string{"back demo --by demo --reason the demo tries the way back"}, s.said())
	ended, err := s.turn(t.Context(), api.Status{State: api.StateRolledBack})
	require.True(t, ended)
	require.NoError(t, err)
}

func TestEachChangeIsPrintedOnce(t *testing.T) {
	s := newStage(t, Options{})
	status := api.Status{
		State: api.StateRunning,
		Stages: []api.StageStatus{
			{Name: "Assess", State: api.StageDone, Detail: "3 topics"}, {Name: "Verify", State: api.StagePending},
		},
		Waves: []api.WaveStatus{{Step: 25, State: api.WaveGroups, Topics: api.Some("audit")}},
		Notes: []string{"held by alice"},
	}
	for range 3 {
		s.show(status)
	}
	status.Waves[0].State = api.WaveProducers
	s.show(status)
	lines := strings.Split(strings.TrimSpace(s.out.String()), "\n")
	for i, want := range []string{"stage Assess done: 3 topics", "step 25% groups: audit", "note: held by alice", "step 25% producers: audit"} {
		require.Contains(t, lines[i], want)
	}
	require.Len(t, lines, 4)
}

func TestARefusalOfTheCommandLineIsAnError(t *testing.T) {
	s := newStage(t, Options{})
	s.exits("2")
	_, err := s.turn(t.Context(), waiting(approval("shift-25")))
	require.ErrorContains(t, err, "rocketshift approve demo shift-25")
	require.ErrorContains(t, err, "exit code 2")
	s.exits("3")
	require.NoError(t, s.rocketshift(t.Context(), "start"), "3 only says that the migration waits")
}

func TestTheWorkerIsKilledOnceInTheMiddleOfAStage(t *testing.T) {
	s := newStage(t, Options{KillWorkerDuring: []string{api.ReplicateType, api.ShiftType}})
	require.NoError(
		t,
		os.WriteFile(filepath.Join(s.bin, "rocketshift-worker"),
			[]byte("#!/bin/sh\necho worker ready\nexec sleep 60\n"), 0o755),
	)
	require.NoError(t, s.startWorker(t.Context()))
	t.Cleanup(func() { s.worker.kill() })
	turn := func(stages ...api.StageStatus) *process {
		_, err := s.turn(t.Context(), api.Status{
			State: api.StateRunning, Stages: stages,
			Waves: []api.WaveStatus{{Step: 25, State: api.WaveGroups}},
		})
		require.NoError(t, err)
		return s.worker
	}
	replicate := api.StageStatus{Name: api.ReplicateType, State: api.StageRunning}
	shift := api.StageStatus{Name: api.ShiftType, State: api.StageRunning}
	first, copying := s.worker, false
	s.copying = func(context.Context, api.Status) bool { return copying }
	require.Same(t, first, turn(api.StageStatus{Name: api.ReplicateType, State: api.StagePending}))
	require.Same(t, first, turn(replicate), "nothing is copied yet")
	copying = true
	second := turn(replicate)
	require.NotSame(t, first, second)
	require.False(t, first.alive())
	require.Same(t, second, turn(replicate), "once")
	require.NotSame(t, second, turn(replicate, shift))
	require.Equal(t, 3, s.workers)
}
