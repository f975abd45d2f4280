package transfer

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/metadata/rights/keyring"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

const secret = "never-to-be-shown"

const accounts = `
accounts:
- {accessKey: root-user, secretKey: ` + secret + `-1, admin: true}
- {accessKey: sender-1, secretKey: ` + secret + `-2, topicPerms: [orders=PUB], defaultTopicPerm: SUB}
- {accessKey: reader-1, secretKey: ` + secret + `-3, topicPerms: [orders=SUB], groupPerms: [billing=SUB]}
`

func fileOf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plain_acl.yml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func requestOf(t *testing.T, f *fakeCluster) Request {
	t.Helper()
	return Request{
		Source: Source{
			Files: []string{fileOf(t, accounts)},
		}, Target: f.connect(t), Own: "own-user", Conflicts: plan.DecisionRefuse,
	}
}

// Each write may be the last one before the program is killed.
func TestATransferThatIsBrokenAnywhereGoesOnAndChangesNothingInTheEnd(t *testing.T) {
	f := newFake("5.3.3", 2)
	q := requestOf(t, f)
	whole := len(prepared(t, q).Changes)
	require.Equal(t, 10, whole) // three users and two with rights, on each of two brokers
	for at := 1; at <= whole; at++ {
		f := newFake("5.3.3", 2)
		q := requestOf(t, f)
		f.failAt = at
		err := prepared(t, q).Apply(t.Context())
		require.ErrorContains(t, err, "goes on where this one stopped", "call %d", at)
		require.NotContains(t, err.Error(), secret)
		r := prepared(t, q)
		require.Len(t, r.Changes, whole-at+1)
		require.NoError(t, r.Apply(t.Context()))
		again := prepared(t, q)
		require.Empty(t, again.Changes)
		require.Equal(t, 6, again.Same)
		c, err := q.Compare(t.Context())
		require.NoError(t, err)
		require.True(t, c.Same(), "%+v", c)
		require.Len(t, c, 2)
	}
}

func TestUsersThatDifferAwaitADecision(t *testing.T) {
	for _, version := range []string{"5.3.3", "5.5.0"} {
		f := newFake(version, 1)
		b := f.brokers["10.0.0.1:1"]
		b.users["sender-1"] = table{
			"username": "sender-1", "password": secret + "-2", "userType": "Normal", "userStatus": "enable",
		}
		b.policies["sender-1"] = []any{table{"policyType": "Custom", "entries": []any{
			table{"resource": "Topic:pay*", "actions": []any{"Pub"}, "decision": "Allow"},
			table{"resource": "Topic:orders", "actions": []any{"Sub"}, "decision": "Allow"},
		}}}
		b.users["reader-1"] = table{
			"username": "reader-1", "password": "another", "userType": "Normal", "userStatus": "disable",
		}
		q := requestOf(t, f)
		r := prepared(t, q)
		require.ErrorIs(t, r.Apply(t.Context()), ErrConflicts)
		require.Zero(t, f.calls, "nothing is written")
		assert.Equal(t, []Conflict{
			{"b0", "sender-1", "it has other rights there"}, {"b0", "reader-1", "it has another secret there"},
		}, r.Conflicts)

		q.Conflicts = plan.DecisionKeep
		r = prepared(t, q)
		require.NoError(t, r.Apply(t.Context()))
		assert.Len(t, r.Kept, 2)
		c, err := q.Compare(t.Context())
		require.NoError(t, err)
		assert.False(t, c.Same())

		q.Conflicts = plan.DecisionChange
		require.NoError(t, prepared(t, q).Apply(t.Context()))
		c, err = q.Compare(t.Context())
		require.NoError(t, err)
		assert.True(t, c.Same(), "%s: %+v", version, c)
		assert.Empty(t, prepared(t, q).Changes)
	}
}

func TestTheUserOfTheTransferAndSuperUsersAreNotChanged(t *testing.T) {
	f := newFake("5.3.3", 1)
	b := f.brokers["10.0.0.1:1"]
	for _, name := range []string{"root-user", "sender-1"} {
		b.users[name] = table{"username": name, "password": "another", "userType": "Super", "userStatus": "enable"}
	}
	q := requestOf(t, f)
	q.Own, q.Conflicts = "root-user", plan.DecisionChange
	r := prepared(t, q)
	require.Len(t, r.Kept, 1)
	assert.Contains(t, r.Kept[0].Text, "the target is called as this user")
	require.Len(t, r.Conflicts, 1)
	assert.Equal(t, "sender-1", r.Conflicts[0].User)
	require.ErrorIs(t, r.Apply(t.Context()), ErrConflicts)
	assert.Equal(t, "another", b.users["root-user"]["password"])
}

func TestABrokerThatAcknowledgesAndKeepsNothingIsFound(t *testing.T) {
	f := newFake("5.3.3", 2)
	f.brokers["10.0.0.1:2"].ignores = true
	err := prepared(t, requestOf(t, f)).Apply(t.Context())
	require.ErrorContains(t, err, "broker b1 says that it has written user sender-1, but it has no rights there")
}

func TestSecretsThatTheSourceHidesAreMadeOnceAndInTheFileBeforeAnyBrokerKnowsThem(t *testing.T) {
	old := newFake("4.9.7", 1)
	old.acl1 = `{"plainAccessConfigs":[{"accessKey":"sender-1","secretKey":"","topicPerms":["orders=PUB"]}]}`
	f := newFake("5.3.3", 1)
	q := Request{Source: Source{Cluster: old.connect(t)}, Target: f.connect(t), Conflicts: plan.DecisionRefuse}
	_, err := q.Prepare(t.Context())
	require.ErrorContains(t, err, "--new-secrets FILE")
	q.NewSecrets = filepath.Join(t.TempDir(), "secrets.yaml")
	prepared(t, q)
	require.NoFileExists(t, q.NewSecrets, "a look writes nothing")
	f.failAt = 1
	require.Error(t, prepared(t, q).Apply(t.Context()))
	ring, err := keyring.Read(q.NewSecrets)
	require.NoError(t, err)
	made, known := ring.Of("sender-1")
	require.True(t, known)
	r := prepared(t, q)
	require.NoError(t, r.Apply(t.Context()))
	assert.Equal(t, []string{"sender-1"}, r.Made)
	assert.Equal(t, made, f.brokers["10.0.0.1:1"].users["sender-1"]["password"])
	assert.Empty(t, prepared(t, q).Changes)
}

func TestBrokersOfTheSourceThatSayDifferentThingsAreAnError(t *testing.T) {
	old := newFake("4.9.8", 2)
	_, err := Source{Cluster: old.connect(t)}.Read(t.Context())
	require.ErrorContains(t, err, "broker b0, version 4.9.8, doesn't tell its ACL (4.7 to 4.9.7 do): give its files")
	require.ErrorIs(t, err, ErrUntold)
}

// Brokers of 4.9.7 without access control don't answer who asks for their accounts.
func TestASourceWithoutAccessControlIsntAskedForUsers(t *testing.T) {
	open := newFake("4.9.7", 1)
	open.config = "aclEnable=false\n"
	_, err := Source{Cluster: open.connect(t)}.Read(t.Context())
	require.ErrorIs(t, err, ErrOpen)
	require.ErrorContains(t, err, "source: broker b0 has no access control (aclEnable=false)")
}

func TestNothingThatATransferReturnsOrPrintsHoldsASecret(t *testing.T) {
	f := newFake("5.3.3", 1)
	q := requestOf(t, f)
	q.Renames = rocketmq.Renames{Prefix: "a-"}
	r := prepared(t, q)
	require.NoError(t, r.Apply(t.Context()))
	users, err := ReadTarget(t.Context(), q.Target)
	require.NoError(t, err)
	raw, err := json.Marshal(map[string]any{"review": r, "users": users})
	require.NoError(t, err)
	for _, text := range []string{string(raw), fmt.Sprintf("%+v", r), fmt.Sprintf("%#v", *r), fmt.Sprintf("%+v", users)} {
		assert.NotContains(t, text, secret)
	}
	assert.Contains(t, string(raw), `"name":"a-orders"`)
	assert.Equal(
		t,
		1,
		strings.Count(fmt.Sprint(f.brokers["10.0.0.1:1"].users["reader-1"]), secret),
		"the broker has it",
	)
}
