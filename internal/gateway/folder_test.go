//go:build unix

package gateway

import (
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A folder that was there before, such as one that an administrator made, is as closed as one that
// the gateway makes.
func TestAFolderOfBeforeIsClosedToOthers(t *testing.T) {
	cant := func(string, os.FileMode) error { return fs.ErrPermission }
	for mode, c := range map[os.FileMode]struct{ refused bool }{
		0o700: {false}, 0o500: {false}, 0o755: {false}, 0o770: {false}, 0o777: {true}, 0o702: {true},
	} {
		dir := t.TempDir()
		is := func() os.FileMode {
			info, err := os.Stat(dir)
			require.NoError(t, err)
			return info.Mode().Perm()
		}
		require.NoError(t, os.Chmod(dir, mode))
		var log logLines
		err := closeFolder(dir, cant, logTo(&log))
		if c.refused {
			require.ErrorContains(t, err, "everybody on this machine may write to its folder")
		} else {
			require.NoError(t, err, "%04o", mode)
		}
		open := mode&0o077 != 0
		assert.Equal(t, open && !c.refused, log.with("is open to others: give it mode 0700") == 1, "%04o", mode)

		require.NoError(t, closeFolder(dir, os.Chmod, logTo(&log)))
		assert.Equal(t, mode&0o700, is())
		assert.Equal(t, open, log.with("was open to others: it is closed to them now") == 1, "%04o", mode)
	}
}
