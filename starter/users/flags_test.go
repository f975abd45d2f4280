package users

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWrongFlagsAreNamedAllAtOnceAndBeforeAnyCall(t *testing.T) {
	r := run(t, nil, "apply", "--target", "nowhere", "--conflicts", "merge", "--rename-topic", "a=b.c", "--yes")
	for _, says := range []string{
		"--source: missing", "--target: \"nowhere\"; want host:port", "--target-credentials: missing",
		`--conflicts: "merge"; allowed: refuse, keep, change`, "--rename-topic: a=b.c",
	} {
		require.ErrorContains(t, r.err, says)
	}
	r = run(
		t,
		nil,
		"diff",
		"--acl",
		"x",
		"--source",
		"a:1",
		"--target",
		"b:1",
		"--target-credentials",
		"secret-itself",
	)
	require.ErrorContains(t, r.err, "--acl: --source is given too")
	require.ErrorContains(t, r.err, "--target-credentials: the environment doesn't have both keys")
	assert.NotContains(t, r.text, "secret-itself")
	r = run(
		t,
		nil,
		"diff",
		"--source",
		"a:1",
		"--source-tls-ca",
		"flags_test.go",
		"--target",
		"b:1",
		"--target-tls-ca",
		"gone",
	)
	require.ErrorContains(t, r.err, "--source-tls-ca: flags_test.go: it has no certificate in PEM")
	require.ErrorContains(t, r.err, "--target-tls-ca: ")
	r = run(t, nil, "export", "--acl", "x", "--target", "b:1")
	require.ErrorContains(t, r.err, "--target: --source or --acl is given too")
}

func TestExportOfFilesShowsRightsAndNoSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plain_acl.yml")
	require.NoError(t, os.WriteFile(path, []byte("globalWhiteRemoteAddresses: [10.0.0.*]\naccounts:\n"+
		"- accessKey: sender-1\n  secretKey: not-to-be-seen\n  topicPerms: [orders=PUB]\n"), 0o600))
	r := run(t, nil, "export", "--acl", path)
	require.NoError(t, r.err)
	assert.Equal(t, `globalWhiteRemoteAddresses:
- 10.0.0.*
users:
- name: sender-1
  rights:
  - actions:
    - Pub
    decision: Allow
    resource:
      kind: Topic
      name: orders
      pattern: literal
  status: enable
  type: normal
`, r.text)
	r = run(t, nil, "export", "--acl", path, "-o=json")
	require.NoError(t, r.err)
	assert.Len(t, r.doc["users"], 1)
	assert.NotContains(t, r.text, "not-to-be-seen")
	r = run(t, nil, "export", "--acl", path+".gone")
	require.ErrorContains(t, r.err, "plain_acl.yml.gone")
}
