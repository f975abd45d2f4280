package transfer

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// table is an object on the wire.
type table = map[string]any

// fakeCluster is name server and brokers at addresses 10.0.0.1:1, :2, ... in memory.
type fakeCluster struct {
	version string
	mu      sync.Mutex
	brokers map[string]*fakeBroker // by address
	calls   int
	failAt  int    // that call fails; 0: none
	acl1    string // what a broker of 4.x tells
	config  string // lines of brokers' configuration; empty: they let nobody read it
}

// fakeBroker keeps users as brokers do: a right of a resource replaces that of the same one.
type fakeBroker struct {
	users    map[string]table
	policies map[string][]any
	ignores  bool // it acknowledges rights and keeps none
}

func newFake(version string, brokers int) *fakeCluster {
	f := &fakeCluster{version: version, brokers: map[string]*fakeBroker{}}
	for i := range brokers {
		f.brokers[fmt.Sprint("10.0.0.1:", i+1)] = &fakeBroker{users: map[string]table{}, policies: map[string][]any{}}
	}
	return f
}

func (f *fakeCluster) connect(t *testing.T) *rocketmq.Cluster {
	t.Helper()
	client := rocketmq.NewClient(rocketmq.Options{Dial: f.dial})
	t.Cleanup(client.Close)
	return rocketmq.NewCluster(client, []string{"10.0.0.1:9876"})
}

func (f *fakeCluster) dial(_ context.Context, addr string) (net.Conn, error) {
	here, there := net.Pipe()
	go func() {
		for {
			c, err := remoting.ReadFrame(there)
			if err != nil {
				return
			}
			got := f.answer(addr, c)
			got.Opaque, got.Flag = c.Opaque, remoting.FlagResponse
			frame, err := remoting.AppendFrame(nil, got)
			if err != nil {
				return
			}
			if _, err := there.Write(frame); err != nil {
				return
			}
		}
	}()
	return here, nil
}

func (f *fakeCluster) answer(addr string, c *remoting.Command) *remoting.Command {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch c.Code {
	case remoting.CodeClusterInfo:
		table, names := "", ""
		for i, at := range slices.Sorted(f.addresses()) {
			if i > 0 {
				table, names = table+",", names+","
			}
			table += fmt.Sprintf(`"b%d":{"brokerAddrs":{0:"%s"},"brokerName":"b%d","cluster":"C"}`, i, at, i)
			names += fmt.Sprintf(`"b%d"`, i)
		}
		return ok(fmt.Sprintf(`{"brokerAddrTable":{%s},"clusterAddrTable":{"C":[%s]}}`, table, names))
	case remoting.CodeRuntime:
		return ok(fmt.Sprintf(`{"table":{"brokerVersionDesc":"V%s"}}`, strings.ReplaceAll(f.version, ".", "_")))
	case remoting.CodeTopicConfigs:
		return ok(
			`{"topicConfigTable":{"orders":{"topicName":"orders","readQueueNums":1,"writeQueueNums":1,"perm":6}}}`,
		)
	case remoting.CodeGroups:
		return ok(`{"subscriptionGroupTable":{"billing":{"groupName":"billing"}}}`)
	case remoting.CodeBrokerConfig:
		if f.config == "" {
			return &remoting.Command{Code: remoting.NoPermission}
		}
		return ok(f.config)
	case remoting.CodeACLConfig:
		if f.acl1 == "" {
			return &remoting.Command{Code: remoting.NotSupported}
		}
		return ok(f.acl1)
	}
	return f.write(f.brokers[addr], c)
}

func (f *fakeCluster) addresses() func(func(string) bool) {
	return func(yield func(string) bool) {
		for at := range f.brokers {
			if !yield(at) {
				return
			}
		}
	}
}

func ok(body string) *remoting.Command { return &remoting.Command{Body: []byte(body)} }

func (f *fakeCluster) write(b *fakeBroker, c *remoting.Command) *remoting.Command {
	user := c.Fields["username"] + strings.TrimPrefix(c.Fields["subject"], "User:")
	switch c.Code {
	case remoting.CodeListUsers:
		var all []table
		for _, u := range b.users {
			all = append(all, u)
		}
		return asJSON(all)
	case remoting.CodeListACLs:
		var all []table
		for name, p := range b.policies {
			all = append(all, table{"subject": "User:" + name, "policies": p})
		}
		return asJSON(all)
	}
	if f.calls++; f.calls == f.failAt {
		return &remoting.Command{Code: remoting.SystemError, Remark: "broken with " + string(c.Body)}
	}
	var body table
	_ = json.Unmarshal(c.Body, &body) // none for some
	switch c.Code {
	case remoting.CodeCreateUser, remoting.CodeUpdateUser:
		b.users[user] = body
	case remoting.CodeCreateACL:
		if !b.ignores {
			policies, _ := body["policies"].([]any)
			b.policies[user] = merged(b.policies[user], policies)
		}
	case remoting.CodeDeleteACL:
		b.policies[user] = without(b.policies[user], c.Fields["policyType"], c.Fields["resource"])
	}
	return &remoting.Command{}
}

func asJSON(all []table) *remoting.Command {
	if len(all) == 0 {
		return &remoting.Command{}
	}
	raw, _ := json.Marshal(all) // it was read from JSON
	return ok(string(raw))
}

// merged adds policies: an entry of the same resource is replaced in its place.
func merged(has, more []any) []any {
	for _, p := range more {
		added, _ := p.(table)
		at := slices.IndexFunc(has, func(one any) bool { return one.(table)["policyType"] == added["policyType"] })
		if at < 0 {
			has = append(has, added)
			continue
		}
		entries, _ := has[at].(table)["entries"].([]any)
		for _, e := range added["entries"].([]any) {
			same := slices.IndexFunc(
				entries,
				func(one any) bool { return one.(table)["resource"] == e.(table)["resource"] },
			)
			if same < 0 {
				entries = append(entries, e)
			} else {
				entries[same] = e
			}
		}
		has[at].(table)["entries"] = entries
	}
	return has
}

func without(has []any, policy, resource string) []any {
	if resource == "" {
		return nil
	}
	for _, p := range has {
		if p.(table)["policyType"] == policy {
			p.(table)["entries"] = slices.DeleteFunc(p.(table)["entries"].([]any),
				func(e any) bool { return e.(table)["resource"] == resource })
		}
	}
	return has
}

func prepared(t *testing.T, q Request) *Review {
	t.Helper()
	r, err := q.Prepare(t.Context())
	require.NoError(t, err)
	return r
}
