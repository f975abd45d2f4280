package files

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTextIsReadUpToItsBound(t *testing.T) {
	dir := t.TempDir()
	for name, of := range map[string]struct{ text, want, err string }{
		"plain":    {"a ü", "a ü", ""},
		"mark":     {"\xef\xbb\xbfa", "a", ""},
		"utf-16":   {"\xff\xfea\x00", "", "it is UTF-16 or no text: save it as UTF-8"},
		"unmarked": {"{\x00\"\x00", "", "it is UTF-16 or no text: save it as UTF-8"},
		"latin-1":  {"caf\xe9", "", "it is no text in UTF-8: save it as UTF-8"},
		"exact":    {"12345678", "12345678", ""},
		"long":     {"123456789", "", "it has more than 8 bytes, the most that is read"},
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(of.text), 0o644))
		got, err := ReadText(path, 8)
		if of.err != "" {
			require.EqualError(t, err, of.err, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, of.want, string(got))
	}
	_, err := ReadText(dir, 8)
	require.EqualError(t, err, "it is a folder; give a file")
	_, err = ReadText(filepath.Join(dir, "none"), 8)
	require.EqualError(t, err, "it is not there")
	_, err = ReadText("/dev/zero", 8)
	require.ErrorContains(t, err, "it has more than 8 bytes")
}
