package lab

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func startSleeper(t *testing.T, dir string) *Program {
	t.Helper()
	p, err := StartProgram(filepath.Join(dir, "x.pid"), filepath.Join(dir, "x.log"), "/bin/sleep", "600")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.End(0)) })
	return p
}

func TestAProgramIsFoundByItsPidFileAndEnded(t *testing.T) {
	dir := t.TempDir()
	p := startSleeper(t, dir)
	found, err := OpenProgram(p.File)
	require.NoError(t, err)
	require.True(t, found.Alive())
	require.Equal(t, p.PID(), found.PID())
	require.Equal(t, []string{"/bin/sleep", "600"}, found.Args)
	_, err = StartProgram(p.File, p.Log, "/bin/sleep", "600")
	require.ErrorContains(t, err, "names a process that runs")
	require.True(t, p.Alive(), "it is left alone")

	require.NoError(t, found.End(time.Minute))
	require.False(t, p.Alive())
	require.NoFileExists(t, p.File)
	require.NoError(t, found.End(time.Minute), "it may be repeated")
	_, err = OpenProgram(p.File)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestAnotherProcessWithTheIdOfAProgramIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	other := startSleeper(t, dir)
	file := filepath.Join(dir, "y.pid")
	stale, err := json.Marshal(programFile{process: process{PID: other.PID(), Started: "an earlier boot/1"}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, stale, 0o600))
	p, err := OpenProgram(file)
	require.NoError(t, err)
	require.False(t, p.Alive())
	require.NoError(t, p.End(0))
	require.NoFileExists(t, file)
	require.True(t, other.Alive())
}

func TestADamagedPidFileIsAnErrorThatSaysWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.pid")
	require.NoError(t, os.WriteFile(file, []byte("12"), 0o600))
	_, err := OpenProgram(file)
	require.ErrorContains(t, err, "damaged")
	_, err = StartProgram(file, file+".log", "/bin/true")
	require.ErrorContains(t, err, "damaged", "what it may have started isn't forgotten")
}
