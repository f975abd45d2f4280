package plan

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const withUsers = `{"name":"orders-2026","source":{"nameServers":["a:1"]},
	"target":{"provider":"existing","nameServers":["b:1"],"credentials":{"env":"NEW"}},"users":`

func TestUsersAreTakenAlongWhereThePlanSaysSo(t *testing.T) {
	p, err := Parse([]byte(withUsers + `{}}`))
	require.NoError(t, err)
	require.NotNil(t, p.Users)
	assert.Equal(t, DecisionRefuse, p.Users.Decision())
	with := p.Hash()
	p.Users = nil
	assert.NotEqual(t, with, p.Hash())
	p, err = Parse([]byte(withUsers + `{"conflicts":"change"}}`))
	require.NoError(t, err)
	assert.Equal(t, DecisionChange, p.Users.Decision())
	assert.NotEqual(t, with, p.Hash())

	_, err = Parse([]byte(withUsers + `{"conflicts":"merge"}}`))
	require.ErrorContains(t, err, `users.conflicts: "merge"; allowed: refuse, keep, change`)
	_, err = Parse([]byte(`{"name":"orders-2026","source":{"nameServers":["a:1"]},` +
		`"target":{"provider":"existing","proxy":"b:1","nameServers":["b:1"]},"users":{}}`))
	require.ErrorContains(t, err, "users: target.proxy is given, and a proxy takes no users")
	require.ErrorContains(t, err, "users: target.credentials is missing")
}

func TestFilesOfUsersAreBelowTheWorkersFolder(t *testing.T) {
	p, err := Parse([]byte(withUsers + `{"files":["plain_acl.yml","broker-a/acl"],"newSecrets":"new.yaml"}}`))
	require.NoError(t, err)
	assert.Equal(t, []string{"plain_acl.yml", "broker-a/acl"}, p.Users.Files)
	assert.Equal(t, "new.yaml", p.Users.NewSecrets)
	for _, bad := range []string{"/etc/shadow", "../x", "a/../../x", "a//b", ".ssh/id", "", "a b", "a\\b", "acl/"} {
		_, err = Parse([]byte(withUsers + `{"files":["` + bad + `"]}}`))
		require.ErrorContains(t, err, "users.files: ", bad)
		if bad != "" {
			_, err = Parse([]byte(withUsers + `{"newSecrets":"` + bad + `"}}`))
			require.ErrorContains(t, err, "users.newSecrets: ", bad)
		}
	}
}
