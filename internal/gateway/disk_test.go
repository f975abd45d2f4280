package gateway

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/store"
)

// stuck makes a gateway's state unwritable until the result is called.
func stuck(t *testing.T, dir string) (again func()) {
	t.Helper()
	full := filepath.Join(dir, "gateway.json.next")
	require.NoError(t, os.Mkdir(full, 0o700))
	return func() { require.NoError(t, os.Remove(full)) }
}

// A disk that is full alarms, keeps moves from beginning, and is tried again until it takes the
// state.
func TestNothingMovesWhileTheStateCannotBeWritten(t *testing.T) {
	g := alone(t)
	var logged strings.Builder
	g.logsTo(slog.New(slog.NewTextHandler(&logged, nil)))
	g.state.Log = g.log
	require.NoError(t, g.save())
	require.Empty(t, g.StateProblem())
	dir := filepath.Dir(g.state.Path)
	again := stuck(t, dir)
	for range 3 {
		require.Error(t, g.save())
	}
	assert.Contains(t, g.StateProblem(), "its state can't be written to "+g.state.Path)
	assert.Contains(t, g.State().StateProblem, "since 2")
	assert.Equal(t, 1, strings.Count(logged.String(), "nothing moves until it can"), "it is said once")

	_, err := g.Move(t.Context(),
		control.Move{ID: "m", Kind: control.KindHome, To: "source", Topics: []string{"orders"}})
	require.ErrorIs(t, err, control.ErrRefused)
	require.ErrorContains(t, err, "can't be written to "+g.state.Path)
	require.ErrorContains(t, err, "make room on that disk")
	_, err = g.rounds.Prepare(t.Context(),
		store.Round{ID: "r", Kind: control.KindAuthority, To: "source", Budget: control.Duration(time.Second)})
	require.ErrorIs(t, err, control.ErrRefused, "nor with another gateway")
	require.ErrorContains(t, err, "can't be written")

	again()
	_, err = g.Move(t.Context(),
		control.Move{ID: "m", Kind: control.KindHome, To: "source", Topics: []string{"orders"}})
	require.ErrorContains(t, err, "topic orders isn't on the source", "it is tried again at once")
	require.Empty(t, g.StateProblem())
	assert.Contains(t, logged.String(), "the state is on disk again")
}

func TestAStateThatCouldNotBeWrittenIsWrittenAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := bare(Config{})
		defer g.stop()
		var err error
		g.state, err = store.Open(t.TempDir())
		require.NoError(t, err)
		again := stuck(t, filepath.Dir(g.state.Path))
		g.moves.epoch.Store(7)
		require.Error(t, g.save())
		g.running.Go(g.keepSaving)
		time.Sleep(3 * saveAgain)
		require.NotEmpty(t, g.StateProblem())
		again()
		time.Sleep(2 * saveAgain)
		synctest.Wait()
		require.Empty(t, g.StateProblem())
		text, err := os.ReadFile(g.state.Path)
		require.NoError(t, err)
		assert.Contains(t, string(text), `"epoch":7`)
		g.stop()
		g.running.Wait()
	})
}

// What couldn't be written isn't gone by: the numbers of target brokers are in what clients bring
// back days later.
func TestNumbersOfTargetBrokersThatCannotBeKeptAreNotUsed(t *testing.T) {
	g := alone(t)
	require.NoError(t, g.number([]string{"x"}))
	again := stuck(t, filepath.Dir(g.state.Path))
	require.Error(t, g.number([]string{"x", "y"}))
	assert.Equal(t, []string{"x"}, *g.sides.Targets.Load())
	require.Error(t, g.agreeOnTargets([]string{"y", "x"}))
	assert.Equal(t, []string{"x"}, *g.sides.Targets.Load())
	again()
	require.NoError(t, g.number([]string{"x", "y"}))
	assert.Equal(t, []string{"x", "y"}, *g.sides.Targets.Load())
}

// begins starts a gateway of which no name server answers.
func begins(t *testing.T, dir string) (*Gateway, error) {
	t.Helper()
	g, err := Start(
		Config{Name: "g", Listen: "127.0.0.1", Advertise: "127.0.0.1", Dir: dir, NameServers: []string{"127.0.0.1:1"}},
	)
	if err == nil {
		t.Cleanup(g.Close)
	}
	return g, err
}

// A gateway that stood serves from a disk that it can read but not write; without a state there is
// nothing to serve by yet.
func TestAGatewayBeginsFromADiskThatItCanOnlyRead(t *testing.T) {
	dir, text := writtenState(t)
	again := stuck(t, dir)
	g, err := begins(t, dir)
	require.NoError(t, err)
	assert.Contains(t, g.StateProblem(), "can't be written")
	assert.EqualValues(t, 3, g.State().Epoch)
	assert.Equal(t, 1, g.State().Homes.Target)
	is, err := os.ReadFile(g.state.Path)
	require.NoError(t, err)
	assert.Equal(t, text, string(is))
	again()
	require.Eventually(t, func() bool { return g.StateProblem() == "" }, patience, lookEvery)
	g.Close()

	empty := t.TempDir()
	stuck(t, empty)
	_, err = begins(t, empty)
	require.Error(t, err)
}

// Two processes don't use one folder, whether its disk can be written or not.
func TestAFolderThatCannotBeWrittenIsLockedToo(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "lock"), 0o700)) // which nobody can open to write
	one, err := lockFolder(dir)
	require.NoError(t, err)
	_, err = lockFolder(dir)
	require.ErrorContains(t, err, "another process uses the folder")
	require.NoError(t, one.Close())
}
