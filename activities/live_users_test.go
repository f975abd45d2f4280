package activities

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/secrets"
	"rocketshift/plan"
)

// Users go from broker to broker within one activity: what Temporal sees of it has no secret.
func TestLongUsersAreTakenAlongAndTemporalSeesNoSecret(t *testing.T) {
	r, target := newRigWithUsers(t)
	var all []string
	call := func() (made api.UsersImport) {
		r.must(NewMetadata(r.settings), "ImportUsers", r.request(), &made)
		seen, err := json.Marshal([]any{r.request(), made})
		require.NoError(t, err)
		all = append(all, string(seen))
		return made
	}
	made := call()
	assert.Equal(t, 2, made.Users)
	assert.Equal(t, 1, made.Brokers)
	assert.Equal(t, 3, made.Written) // two users, and one's rights
	assert.Zero(t, made.Differing)
	require.Equal(t, 3, made.Findings.Len(), "and two of any 5.3.3")
	assert.Contains(t, made.Findings.First()[0].Object, "globalWhiteRemoteAddresses 10.9.9.*")
	assert.Zero(t, call().Written, "a repeated call changes nothing")
	folder := UsersFolder(r.settings.Root)
	require.NoError(t, os.MkdirAll(folder, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "plain_acl.yml"), []byte(accountsOfSource), 0o600))
	r.plan.Users.Files = []string{"plain_acl.yml"}
	assert.Zero(t, call().Written, "the same by a file of the worker")
	r.plan.Users.Files = nil

	client := rocketmq.NewClient(rocketmq.Options{
		Credentials: &remoting.Credentials{AccessKey: "sender-one", SecretKey: "secret-of-sender"},
	})
	t.Cleanup(client.Close)
	at := target.Brokers[0].Addr
	_, err := client.SendMessage(r.ctx, at, rocketmq.SendRequest{Group: "g", Topic: "orders", Body: []byte("x")})
	assert.False(t, remoting.Denied(err), "%v", err)
	_, err = client.SendMessage(r.ctx, at, rocketmq.SendRequest{Group: "g", Topic: "payments", Body: []byte("x")})
	assert.True(t, remoting.Denied(err), "%v", err)
	for _, text := range all {
		assert.NotContains(t, text, "secret-of")
	}

	set := `{"username":"sender-one","password":"another-one","userType":"Normal","userStatus":"enable"}`
	root := rocketmq.NewClient(rocketmq.Options{
		Credentials: &remoting.Credentials{AccessKey: "root-of-target", SecretKey: "secret-of-target"},
	})
	t.Cleanup(root.Close)
	got, err := root.Call(r.ctx, at, &remoting.Command{
		Code: remoting.CodeUpdateUser, Body: []byte(set), Fields: map[string]string{"username": "sender-one"},
	})
	require.NoError(t, err)
	require.Equal(t, remoting.Success, got.Code, got.Remark)
	err = ask(t, NewMetadata(r.settings), "ImportUsers", r.request(), nil)
	require.ErrorContains(
		t,
		err,
		"1 conflicts, such as user sender-one on broker broker-a: it has another secret there",
	)
	assert.NotContains(t, err.Error(), "secret-of")
	assert.NotContains(t, err.Error(), "another-one")
}

// accountsOfSource are the source's plain_acl.yml.
const accountsOfSource = "globalWhiteRemoteAddresses: [10.9.9.*]\naccounts:\n" +
	"- {accessKey: root-of-source, secretKey: secret-of-source, admin: true}\n" +
	"- {accessKey: sender-one, secretKey: secret-of-sender, topicPerms: [orders=PUB]}\n"

// newRigWithUsers has clusters with access control, and a plan that takes users along.
func newRigWithUsers(t *testing.T) (*rig, *lab.Cluster) {
	t.Helper()
	from := labtest.OwnCluster(t, lab.ClusterSpec{
		Name: "Old", Version: "4.9.7", Admin: &lab.Account{AccessKey: "root-of-source", SecretKey: "secret-of-source"},
	})
	to := labtest.OwnCluster(t, lab.ClusterSpec{
		Name: "New", Version: "5.3.3", Admin: &lab.Account{AccessKey: "root-of-target", SecretKey: "secret-of-target"},
	})
	file := filepath.Join(from.Dir, "broker-a", "conf", "plain_acl.yml")
	require.NoError(t, os.WriteFile(file, []byte(accountsOfSource), 0o600)) // the broker reads it again by itself
	r := &rig{T: t, ctx: t.Context(), own: "activities-users"}
	store, err := secrets.New(fmt.Sprintf("OLD=%s NEW=%s", from.NameServers[0], to.NameServers[0]),
		func(name string) string {
			return map[string]string{
				"OLD_ACCESS_KEY": "root-of-source", "OLD_SECRET_KEY": "secret-of-source",
				"NEW_ACCESS_KEY": "root-of-target", "NEW_SECRET_KEY": "secret-of-target",
			}[name]
		})
	require.NoError(t, err)
	r.settings = Settings{Root: t.TempDir(), Clusters: connect.NewPool(), Secrets: store}.withDefaults()
	t.Cleanup(r.settings.Clusters.Close)
	r.plan = plan.Plan{
		Name: "activities-users",
		Source: plan.Cluster{
			NameServers: from.NameServers, Credentials: &plan.Credentials{Env: "OLD"},
		},
		Target: plan.Target{
			Provider: plan.ProviderExisting, NameServers: to.NameServers, Credentials: &plan.Credentials{Env: "NEW"},
		},
		Users: &plan.Users{},
	}.WithDefaults()
	require.NoError(t, r.plan.Validate())
	r.source, err = r.settings.clusters().Open(api.Source, connect.Place{Addresses: from.NameServers},
		r.plan.Source.Credentials, rocketmq.Renames{})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		got, err := r.source.Client().Call(r.ctx, from.Brokers[0].Addr, &remoting.Command{Code: remoting.CodeACLConfig})
		return err == nil && hasAccount(got.Body, "sender-one")
	}, patience, time.Second/10, "the source doesn't tell its new account")
	return r, to
}

func hasAccount(body []byte, name string) bool {
	var told struct {
		Accounts []struct {
			AccessKey string `json:"accessKey"`
		} `json:"plainAccessConfigs"`
	}
	if json.Unmarshal(body, &told) != nil {
		return false
	}
	for _, a := range told.Accounts {
		if a.AccessKey == name {
			return true
		}
	}
	return false
}
