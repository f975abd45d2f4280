package activities

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/plan"
)

// Files of accounts and of new secrets stay on the worker; another worker may have them.
func TestFilesOfUsersAreThoseOfTheWorker(t *testing.T) {
	settings, r := emptied(t, "users")
	r.Plan.Target.Credentials = &plan.Credentials{Env: "NEW"}
	u := plan.Users{Files: []string{"plain_acl.yml"}, NewSecrets: "new.yaml"}
	_, _, err := settings.filesOf(u)
	for _, says := range []string{filepath.Join(UsersFolder(settings.Root), "plain_acl.yml"), "install -m 600", "all share"} {
		require.ErrorContains(t, err, says)
	}
	assert.Equal(t, NotReadyType, typeOf(asTemporal(err)), "it is tried again, where the files may be")
	require.NoError(t, os.MkdirAll(UsersFolder(settings.Root), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(UsersFolder(settings.Root), "plain_acl.yml"), nil, 0o600))
	_, _, err = settings.filesOf(u)
	require.ErrorContains(t, err, "new.yaml", "without it another worker's secrets would be made anew")
	require.NoError(t, os.WriteFile(filepath.Join(UsersFolder(settings.Root), "new.yaml"), nil, 0o600))
	files, secrets, err := settings.filesOf(u)
	require.NoError(t, err)
	assert.Equal(t, []string{filepath.Join(UsersFolder(settings.Root), "plain_acl.yml")}, files)
	assert.Equal(t, filepath.Join(UsersFolder(settings.Root), "new.yaml"), secrets)
	found := newSecrets(3, secrets)
	require.Len(t, found, 1)
	assert.Contains(t, found[0].Cause, "those of 3 users")
	assert.Contains(t, found[0].Cause, secrets)
	assert.Empty(t, newSecrets(0, ""))
}
