package files

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAFileIsReplacedAsAWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	require.NoError(t, Replace(path, []byte("one"), 0o600))
	seen := func() string {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(text)
	}
	var written, replaced string
	r := Replacement{
		Path:       path,
		Permission: 0o644,
		Written:    func() { written = seen() },
		Replaced:   func() { replaced = seen() },
	}
	require.NoError(t, r.Write(func(to io.Writer) error { _, err := io.WriteString(to, "two"); return err }))
	require.Equal(t, [2]string{"one", "two"}, [2]string{written, replaced})
	about, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o644), about.Mode().Perm())
}

func TestAFileThatCanNotBeWrittenStaysAsItWas(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.json")
	require.NoError(t, Replace(path, []byte("one"), 0o600))
	full := errors.New("the disk is full")
	err := Replacement{Path: path, Permission: 0o600}.Write(func(to io.Writer) error {
		_, _ = io.WriteString(to, "tw")
		return full
	})
	require.ErrorIs(t, err, full)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "one", string(text))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing else is left there")

	require.Error(t, Replace(filepath.Join(dir, "missing", "state.json"), []byte("x"), 0o600), "its folder isn't there")
}

func TestSeveralMayReplaceAFileAtOnce(t *testing.T) {
	dir := t.TempDir()
	r := Replacement{Path: filepath.Join(dir, "report.md"), Permission: 0o644, Several: true}
	require.NoError(t, r.Write(func(to io.Writer) error {
		_, _ = io.WriteString(to, "half of")
		require.NoError(t, r.With([]byte("another one")))
		_, err := io.WriteString(to, " the last one")
		return err
	}))
	text, err := os.ReadFile(r.Path)
	require.NoError(t, err)
	require.Equal(t, "half of the last one", string(text))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1)
}
