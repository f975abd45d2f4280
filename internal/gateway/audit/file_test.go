package audit

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLinesAreAddedAndNeverChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	for _, line := range []string{"one\n", "two\n"} {
		f, err := Open(path)
		require.NoError(t, err)
		_, err = f.Write([]byte(line))
		require.NoError(t, err)
		require.NoError(t, f.Sync())
		require.NoError(t, f.Close())
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "one\ntwo\n", string(text))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestAFileThatWasRenamedIsFollowedByANewOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	f, err := Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	_, err = f.Write([]byte("one\n"))
	require.NoError(t, err)
	require.NoError(t, os.Rename(path, path+".1"))
	_, err = f.Write([]byte("two\n"))
	require.NoError(t, err)
	for name, wanted := range map[string]string{path + ".1": "one\n", path: "two\n"} {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.Equal(t, wanted, string(text))
	}
}

func TestALineThatCantBeWrittenIsAnError(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	require.NoError(t, os.Mkdir(dir, 0o700))
	f, err := Open(filepath.Join(dir, "audit.log"))
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(dir))
	_, err = f.Write([]byte("one\n"))
	require.ErrorContains(t, err, "the record of changes: open ")

	full, err := Open("/dev/full")
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	_, err = full.Write([]byte("one\n"))
	require.ErrorContains(t, err, "no space left")
}
