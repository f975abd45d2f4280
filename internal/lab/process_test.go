package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// parentRole makes this test binary play the program that starts servers, see runAsParent.
const parentRole = "LAB_TEST_PARENT"

func TestMain(m *testing.M) {
	if how := os.Getenv(parentRole); how != "" {
		playParent(how)
	}
	os.Exit(m.Run())
}

// playParent starts a process, prints its id, and waits to be killed.
func playParent(how string) {
	l, err := launch(command{
		args: []string{"/bin/sleep", "1000"}, dir: os.TempDir(), log: os.DevNull, detached: how == "detached",
	})
	if err == nil && how != "gated" {
		err = l.release()
	}
	fmt.Println(l.PID, l.Started, err)
	select {}
}

// runAsParent lets another process start one and kills it with signal 9.
func runAsParent(t *testing.T, how string) (child process) {
	t.Helper()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentRole+"="+how)
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	var problem string
	_, err = fmt.Fscan(out, &child.PID, &child.Started, &problem)
	require.NoError(t, err)
	require.Equal(t, "<nil>", problem)
	require.True(t, child.alive(), "the child should run while its parent does")
	t.Cleanup(func() { _ = child.end(0) })

	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait()
	return child
}

func TestProcessDiesWithItsKilledParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux can")
	}
	require.NoError(t, runAsParent(t, "attached").awaitEnd(time.Minute))
}

func TestDetachedProcessOutlivesItsKilledParent(t *testing.T) {
	child := runAsParent(t, "detached")
	require.Error(t, child.awaitEnd(300*time.Millisecond))
	require.NoError(t, child.end(time.Minute))
	require.False(t, child.alive())
}

func TestProcessWhoseParentDiesBeforeItsReleaseNeverBecomesTheProgram(t *testing.T) {
	require.NoError(t, runAsParent(t, "gated").awaitEnd(time.Minute))
}

// The kernel ties a child to the thread that started it, and Go ends threads that a goroutine kept
// for itself.
func TestProcessOutlivesTheThreadThatAskedForIt(t *testing.T) {
	asked := make(chan *launched)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this function
		asked <- start1(t, "exec sleep 1000")
	}()
	l := <-asked
	require.Error(t, l.awaitEnd(300*time.Millisecond))
}

// start1 starts a shell script that ends with the test.
func start1(t *testing.T, script string) *launched {
	l, err := launch(command{args: []string{"/bin/sh", "-c", script}, dir: t.TempDir(), log: os.DevNull})
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.end(0) })
	require.NoError(t, l.release())
	return l
}

func TestReleasedProgramWritesToItsLogAndKeepsItsID(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	l, err := launch(command{args: []string{"/bin/sh", "-c", "echo $$"}, dir: t.TempDir(), log: log})
	require.NoError(t, err)
	require.True(t, l.alive())
	require.NoError(t, l.release())
	<-l.done
	written, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(l.PID), strings.TrimSpace(string(written)))
}

func TestEndKillsWhatIgnoresTheRequestToEnd(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	l := start1(t, "trap '' TERM; touch "+ready+"; while :; do sleep 0.1; done")
	awaitFile(t, ready)
	begin := time.Now()
	require.NoError(t, l.end(200*time.Millisecond))
	require.False(t, l.alive())
	require.GreaterOrEqual(t, time.Since(begin), 200*time.Millisecond)
}

func TestEndLetsAFrozenProcessEndInGoodOrder(t *testing.T) {
	dir := t.TempDir()
	ready, ended := filepath.Join(dir, "ready"), filepath.Join(dir, "ended")
	l := start1(t, "trap 'touch "+ended+"; exit' TERM; touch "+ready+"; while :; do sleep 0.1; done")
	awaitFile(t, ready)
	require.NoError(t, l.freeze())
	still, err := frozen(l.PID)
	require.NoError(t, err)
	require.True(t, still)
	require.NoError(t, l.end(time.Minute))
	require.FileExists(t, ended)
}

func TestProcessWithTheSameIDButAnotherStartIsLeftAlone(t *testing.T) {
	l := start1(t, "exec sleep 1000")
	other := process{PID: l.PID, Started: "another boot/1"}
	require.False(t, other.alive())
	require.NoError(t, other.end(0))
	require.True(t, l.alive())
}

func TestProcessThatNeverWasHasEnded(t *testing.T) {
	require.False(t, process{}.alive())
	require.NoError(t, process{}.end(time.Second))
	require.False(t, process{PID: 1 << 22, Started: "x"}.alive())
}

func awaitFile(t *testing.T, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, await(ctx, func() error {
		_, err := os.Stat(name)
		return err
	}))
}
