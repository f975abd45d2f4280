package keyring

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v2"
)

const secret = "a-very-secret-one"

func ringOf(user, secret string) *Ring {
	r := &Ring{}
	r.Put(user, secret)
	return r
}

func TestNoWayToPrintARingShowsASecret(t *testing.T) {
	r := ringOf("sender-1", secret)
	holder := struct{ Ring *Ring }{r}
	asJSON, err := json.Marshal(holder)
	require.NoError(t, err)
	asYAML, err := yaml.Marshal(holder)
	require.NoError(t, err)
	for _, text := range []string{
		fmt.Sprint(r), fmt.Sprintf("%v %+v %#v %s %d %x", r, r, r, r, r, r), fmt.Sprintf("%+v %#v", holder, holder),
		string(asJSON), string(asYAML), r.LogValue().String(), fmt.Errorf("%v", r).Error(),
		r.Scrubbed("user with " + secret + " is bad"),
	} {
		assert.NotContains(t, text, secret)
	}
	assert.Equal(t, "1 secrets", r.String())
}

func TestNewSecretsAreAddedToAFileOfTheirOwnerAndNeverReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.yaml")
	require.NoError(t, ringOf("sender-1", secret).Write(path))
	require.NoError(t, ringOf("reader-1", "another-secret").Write(path))
	require.NoError(t, ringOf("reader-1", "another-secret").Write(path), "again")
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	before, err := os.ReadFile(path)
	require.NoError(t, err)

	err = ringOf("sender-1", "a-third-secret").Write(path)
	require.ErrorContains(t, err, "it has another secret of user sender-1")
	assert.NotContains(t, err.Error(), secret)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, before, after)

	all, err := Read(path)
	require.NoError(t, err)
	assert.True(t, all.Same(ringOf("sender-1", secret), "sender-1"))
	assert.True(t, all.Same(ringOf("reader-1", "another-secret"), "reader-1"))
	assert.False(t, all.Same(ringOf("reader-1", secret), "reader-1"))
}

func TestAFileThatOthersMayReadOrThatIsntOneIsRefusedWithoutItsContent(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), mode))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	for says, path := range map[string]string{
		"chmod 600":                 write("open.yaml", "users: []\n", 0o644),
		"isn't of this form":        write("form.yaml", "users:\n- username: "+secret+"\n  secret: "+secret+"\n", 0o600),
		"no regular file":           dir,
		"users[1]: want a username": write("twice.yaml", "users:\n- {username: a, password: b}\n- {username: a, password: "+secret+"}\n", 0o600),
		"more than":                 write("long.yaml", string(make([]byte, mostBytes+1)), 0o600),
	} {
		_, err := Read(path)
		require.ErrorContains(t, err, says)
		assert.NotContains(t, err.Error(), secret)
		require.Error(t, ringOf("a-user", secret).Write(path))
	}
	empty, err := Read(filepath.Join(dir, "none.yaml"))
	require.NoError(t, err)
	assert.Equal(t, "0 secrets", empty.String())
}

func TestMadeSecretsAreLongAndNeverTheSame(t *testing.T) {
	one := Made()
	assert.Len(t, one, 26)
	assert.NotEqual(t, one, Made())
}
