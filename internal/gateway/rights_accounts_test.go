package gateway

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/keys"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/lab"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// account is one of the accounts of the matrix: the same rights on both sides, by other keys.
type account struct {
	name         string
	topic, group string // rights on its own topic and group, in the words of ACL 1.0
	gets         bool   // on the target it may ask about these, too: ACL 1.0 has no word for it
	admin        bool
	listed       bool // brokers know it
	keyed        bool // the file of --keys has it
	signs        bool
	forges       bool // it signs with another secret than its own
}

// accounts are one for each combination of rights that brokers tell apart, and those that don't
// prove who they are.
var accounts = []account{
	{name: "admin", admin: true, listed: true, keyed: true, signs: true},
	{name: "full", topic: "PUB|SUB", group: "SUB", listed: true, keyed: true, signs: true},
	{name: "gets", topic: "PUB|SUB", group: "SUB", gets: true, listed: true, keyed: true, signs: true},
	{name: "pub", topic: "PUB", group: "DENY", listed: true, keyed: true, signs: true},
	{name: "sub", topic: "SUB", group: "DENY", listed: true, keyed: true, signs: true},
	{name: "group", topic: "DENY", group: "SUB", listed: true, keyed: true, signs: true},
	{name: "reads", topic: "SUB", group: "SUB", listed: true, keyed: true, signs: true},
	{name: unsignedAs, topic: "SUB", group: "SUB", listed: true, signs: true},
	{name: "nothing", topic: "DENY", group: "DENY", listed: true, keyed: true, signs: true},
	{name: "not-in-keys", topic: "PUB|SUB", group: "SUB", listed: true, signs: true},
	{name: "unknown", signs: true},
	{
		name: "forged", topic: "PUB|SUB", group: "SUB", listed: true, keyed: true, signs: true,
		forges: true,
	},
	{name: "unsigned"},
}

// keys are the account's own on a side.
func (a account) keys(on routing.Side) keys.Pair {
	name := a.name + "-" + on.String()
	return keys.Pair{AccessKey: "rights-" + name, SecretKey: "secret-of-" + name}
}

// sign signs a request as the account does on a side.
func (a account) sign(f *wire.Frame, on routing.Side) {
	if !a.signs {
		return
	}
	pair := a.keys(on)
	if a.forges {
		pair.SecretKey = "not-the-secret"
	}
	f.Sign(pair.AccessKey, pair.SecretKey)
}

// keyFileOf is a file of --keys with the accounts, and if so with the guest's keys for clients that
// don't sign.
func keyFileOf(all []account, unsigned bool) string {
	text := "applications:\n"
	for _, a := range all {
		if here, there := a.keys(routing.Source), a.keys(routing.Target); a.keyed {
			text += fmt.Sprintf("- accessKey: %s\n  secretKey: %s\n", here.AccessKey, here.SecretKey) +
				fmt.Sprintf("  target: {accessKey: %s, secretKey: %s}\n", there.AccessKey, there.SecretKey)
		}
	}
	if unsigned {
		there := account{name: unsignedAs}.keys(routing.Target)
		text += fmt.Sprintf("unsigned: {accessKey: %s, secretKey: %s}\n", there.AccessKey, there.SecretKey)
	}
	return text
}

// writeKeys writes the gateway's file of keys.
func (m *matrix) writeKeys(unsigned bool) {
	m.Helper()
	next := m.config.Keys + ".next"
	require.NoError(m, os.WriteFile(next, []byte(keyFileOf(accounts, unsigned)), 0o600))
	require.NoError(m, os.Rename(next, m.config.Keys))
}

// acl1 are ACL 1.0's lines for an account with rights in places.
func (a account) acl1(places ...*place) string {
	pair := a.keys(routing.Source)
	text := fmt.Sprintf("- accessKey: %s\n  secretKey: %s\n", pair.AccessKey, pair.SecretKey) +
		fmt.Sprintf("  admin: %t\n", a.admin)
	if a.admin {
		return text
	}
	topics, groups := "  topicPerms:\n", "  groupPerms:\n"
	for _, p := range places {
		topics += fmt.Sprintf("  - %s=%s\n", p.topic, a.topic)
		groups += fmt.Sprintf("  - %s=%s\n", p.group, a.group)
	}
	return text + "  defaultTopicPerm: DENY\n  defaultGroupPerm: DENY\n" + topics + groups
}

// acl2 translates a right of ACL 1.0 as RocketMQ's own migration does (AuthMigrator, 5.3.3), but
// for accounts with more.
func (a account) acl2(resource, right string) map[string]any {
	if right == "DENY" {
		return map[string]any{"resource": resource, "actions": []string{"All"}, "decision": "Deny"}
	}
	var actions []string
	for one := range strings.SplitSeq(right, "|") {
		actions = append(actions, map[string]string{"PUB": "Pub", "SUB": "Sub"}[one])
	}
	if a.gets {
		actions = append(actions, "Get")
	}
	return map[string]any{"resource": resource, "actions": actions, "decision": "Allow"}
}

// grant makes the accounts known to both sides' brokers.
func (m *matrix) grant(source *lab.Cluster) {
	m.Helper()
	// The broker reads this file again by itself.
	file := filepath.Join(source.Dir, source.Brokers[0].Name, "conf", "plain_acl.yml")
	text, err := os.ReadFile(file)
	require.NoError(m, err)
	listed := slices.DeleteFunc(slices.Clone(accounts), func(a account) bool { return !a.listed })
	for _, a := range listed {
		text = append(text, a.acl1(m.through[a.name], m.straight[a.name])...)
		m.grantOnTarget(a)
	}
	require.NoError(m, os.WriteFile(file, text, 0o600))
	last := listed[len(listed)-1].keys(0)
	client := rocketmq.NewClient(rocketmq.Options{
		Credentials: &remoting.Credentials{AccessKey: last.AccessKey, SecretKey: last.SecretKey},
	})
	defer client.Close()
	m.await("the source knows the accounts", func() string {
		_, err := client.MaxOffset(m.ctx, m.addr(0), m.through["full"].topic, 0)
		return textOf(err)
	})
}

// grantOnTarget makes an account known to the target's broker.
func (m *matrix) grantOnTarget(a account) {
	m.Helper()
	pair, kind := a.keys(routing.Target), "Normal"
	if a.admin {
		kind = "Super"
	}
	m.call(routing.Target, &remoting.Command{ // AUTH_CREATE_USER
		Code: 3001, Fields: map[string]string{"username": pair.AccessKey},
		Body: jsonOf(map[string]string{
			"username": pair.AccessKey, "password": pair.SecretKey, "userType": kind,
			"userStatus": "enable",
		}),
	})
	if a.admin {
		return
	}
	var entries []any
	places := []*place{m.through[a.name], m.straight[a.name]}
	if a.name == unsignedAs { // who may do the same with what those ask for that don't sign
		places = append(places, m.through["unsigned"])
	}
	for _, p := range places {
		entries = append(entries, a.acl2("Topic:"+p.topic, a.topic), a.acl2("Group:"+p.group, a.group))
	}
	subject := "User:" + pair.AccessKey
	policies := []any{map[string]any{"policyType": "Custom", "entries": entries}}
	m.call(routing.Target, &remoting.Command{ // AUTH_CREATE_ACL
		Code: 3006, Fields: map[string]string{"subject": subject},
		Body: jsonOf(map[string]any{"subject": subject, "policies": policies}),
	})
}
