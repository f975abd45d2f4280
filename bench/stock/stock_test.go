package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab/labtest"
)

func TestMain(m *testing.M) {
	// Ways that are written in Go start this program once more.
	if len(os.Args) > 1 && os.Args[1] == copyCommand {
		exit(copyUntil(os.Stdin, os.Stdout, os.Args[2:]))
	}
	labtest.Main(m)
}

// testCourse lies between the clusters that this binary's tests share.
func testCourse(t *testing.T) *course {
	t.Helper()
	c := &course{load: load{messages: 200, queues: 2, body: 100}, dir: t.TempDir()}
	c.source, c.target = newSide(labtest.Cluster(t, "4.9.7")), newSide(labtest.Cluster(t, "5.3.3"))
	t.Cleanup(func() {
		c.source.client.Close()
		c.target.client.Close()
	})
	return c
}

// enough is more time than anything here takes.
const enough = 5 * time.Minute

// round is a number that makes the names of a run's topics new.
func round() int { return int(time.Now().UnixMilli() % 1e9) }

// script is a copier that does what a shell does.
type script struct {
	title, text string
	before      func() // its start
}

func (s script) name() string { return s.title }

func (s script) command(job) ([]string, error) {
	if s.before != nil {
		s.before()
	}
	return []string{"/bin/sh", "-c", s.text}, nil
}

func TestLongClientGoCopiesATopic(t *testing.T) {
	c := testCourse(t)
	w, err := find(goWays(), "client-go-batch")
	require.NoError(t, err)
	began := time.Now()
	got, err := c.run(t.Context(), w, round(), limits{threads: 4, atMost: enough})
	require.NoError(t, err)
	require.True(t, got.Complete, "%+v", got)
	require.EqualValues(t, 200, got.Messages)
	require.Equal(t, "client-go-batch", got.Way)
	require.Positive(t, got.CPUSeconds)
	require.Empty(t, got.Error)
	require.LessOrEqual(t, got.Seconds, time.Since(began).Seconds(), "it is a part of the run")
	require.GreaterOrEqual(t, got.CPUSeconds+0.01, got.StartCPUSeconds, "the start is a part of the whole, to a tick")
}

func TestLongACopierThatDiesIsAnError(t *testing.T) {
	c := testCourse(t)
	got, err := c.run(t.Context(), script{title: "dies", text: `echo "broker busy" >&2; exit 3`}, round(),
		limits{atMost: enough})
	require.ErrorContains(t, err, "exit status 3")
	require.Contains(t, got.Error, "broker busy")
	require.False(t, got.Complete)
	require.Zero(t, got.Messages)
}

func TestLongACopierThatIsTooSlowIsCountedAndNoError(t *testing.T) {
	c := testCourse(t)
	slow := script{title: "slow", text: `cat >/dev/null; echo "failed 7 CODE: 2  busy"`}
	got, err := c.run(t.Context(), slow, round(), limits{atMost: 200 * time.Millisecond})
	require.NoError(t, err)
	require.False(t, got.Complete)
	require.Zero(t, got.PerSecond)
	require.EqualValues(t, 7, got.FailedSends)
	require.Equal(t, "CODE: 2  busy", got.LastFailure)
}

func TestLongAnInterruptEndsTheCopier(t *testing.T) {
	c := testCourse(t)
	ctx, interrupt := context.WithCancel(t.Context())
	endless := script{title: "endless", text: `cat >/dev/null; echo "failed 0"; echo ended >&2`, before: interrupt}
	n := round()
	_, err := c.run(ctx, endless, n, limits{atMost: enough})
	require.ErrorIs(t, err, context.Canceled)
	log, err := os.ReadFile(filepath.Join(c.dir, fmt.Sprintf("bench-endless-%d.log", n)))
	require.NoError(t, err)
	require.Equal(t, "ended\n", string(log))
}

func TestLongDuplicatesDoNotStandForMissingMessages(t *testing.T) {
	c := testCourse(t)
	half, topic := load{messages: 100, queues: 2, body: 100}, fmt.Sprint("bench-stock-duplicates-", round())
	for range 2 {
		require.NoError(t, c.target.fill(t.Context(), topic, half))
	}
	for over := time.After(enough); ; { // a broker needs a moment to show what it has stored
		stored, err := c.target.stored(t.Context(), topic)
		if err == nil && stored == 200 {
			break
		}
		select {
		case <-over:
			t.Fatalf("%d messages are shown, %v; wanted 200", stored, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	got, err := c.target.tally(t.Context(), topic, 200)
	require.NoError(t, err)
	require.EqualValues(t, 100, got.different)
	require.EqualValues(t, 100, got.duplicates)
	require.GreaterOrEqual(t, got.last, got.first)
}

func TestFailuresAreReadAsTheyAreWritten(t *testing.T) {
	var f failures
	n, last, found := parseFailures("a library's own line\n" + f.String() + "\n")
	require.True(t, found)
	require.Zero(t, n)
	require.Empty(t, last)
	f.add(errors.New("first"))
	f.add(errors.New("CODE: 2\n DESC: busy"))
	n, last, found = parseFailures(f.String())
	require.True(t, found)
	require.EqualValues(t, 2, n)
	require.Equal(t, "CODE: 2 DESC: busy", last)
	_, _, found = parseFailures("nothing")
	require.False(t, found)
}

func TestFlagsAreChecked(t *testing.T) {
	o, err := parse([]string{"-way", "java-single,client-go-batch", "-messages", "5", "-for", "1s"})
	require.NoError(t, err)
	require.Equal(t, []string{"java-single", "client-go-batch"}, o.ways)
	require.Equal(t, time.Second, o.atMost)
	for _, bad := range [][]string{{"-messages", "0"}, {"-body", "3"}, {"-for", "0s"}, {"java-single"}} {
		_, err := parse(bad)
		require.Error(t, err, "%q", bad)
	}
	_, err = find(goWays(), "carrier-pigeon")
	require.ErrorContains(t, err, `unknown way "carrier-pigeon", known are: client-go-batch`)
}
