package users

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// ran is what a command said.
type ran struct {
	code int
	text string
	doc  map[string]any
	err  error
}

// run runs one command line.
func run(t *testing.T, environment map[string]string, args ...string) (r ran) {
	t.Helper()
	var text bytes.Buffer
	asJSON := args[len(args)-1] == "-o=json"
	if asJSON {
		args = args[:len(args)-1]
	}
	c := Command(Screen{
		LookupEnv: func(name string) (string, bool) { v, ok := environment[name]; return v, ok },
		JSON:      func() bool { return asJSON },
		Say:       func(format string, args ...any) { fmt.Fprintf(&text, format+"\n", args...) },
		Document: func(doc any) {
			raw, err := json.Marshal(doc)
			require.NoError(t, err)
			text.Write(raw)
			require.NoError(t, json.Unmarshal(raw, &r.doc))
		},
		Exit: func(code int) { r.code = code },
	})
	c.SilenceErrors, c.SilenceUsage = true, true
	c.SetArgs(args)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	r.err = c.ExecuteContext(ctx)
	r.text = text.String()
	if r.err != nil {
		r.text += r.err.Error()
	}
	return r
}

// application is an account of ACL 1.0, whose lines follow its keys.
type application struct{ name, lines string }

func (a application) secret() string { return "secret-of-" + a.name }

func (a application) credentials() *remoting.Credentials {
	return &remoting.Credentials{AccessKey: a.name, SecretKey: a.secret()}
}

// applications are one for each kind of rights.
var applications = []application{
	{"writes-and-reads", "  topicPerms: [orders=PUB|SUB]\n  groupPerms: [billing=SUB]\n"},
	{"only-writes", "  topicPerms: [orders=PUB]\n"},
	{"only-reads", "  topicPerms: [orders=SUB]\n  groupPerms: [billing=SUB, by-grpc=SUB]\n"},
	{"without-group", "  topicPerms: [orders=SUB]\n"},
	{"by-default", "  defaultTopicPerm: PUB|SUB\n  defaultGroupPerm: SUB\n" +
		"  topicPerms: [payments=DENY, orders=PUB]\n  groupPerms: [auditing=DENY]\n"},
	{"reads-by-default", "  defaultTopicPerm: SUB\n  defaultGroupPerm: SUB\n  topicPerms: [orders=PUB]\n"},
	{"from-here", "  whiteRemoteAddress: 127.0.0.*\n"},
	{"listed-admin", "  admin: true\n  topicPerms: [orders=PUB]\n"},
	{"second-admin", "  admin: true\n"},
	{"nothing-at-all", "  topicPerms: [orders=DENY]\n"},
}

var (
	topics = []string{"orders", "payments"}
	groups = []string{"billing", "auditing"}
)

// place is a server that applications may call, by what probes are sent.
type place struct{ name, addr string }

// startSource is a source of two brokers with the applications' accounts.
func startSource(t *testing.T, ctx context.Context) (*lab.Cluster, *lab.Account) {
	t.Helper()
	admin := &lab.Account{AccessKey: "root-of-source", SecretKey: "secret-of-root-of-source"}
	c := labtest.OwnCluster(t, lab.ClusterSpec{Name: "Old", Version: "4.9.7", Brokers: 2, Admin: admin})
	client := clientOf(t, &remoting.Credentials{AccessKey: admin.AccessKey, SecretKey: admin.SecretKey})
	for _, b := range c.Brokers {
		makeNames(t, ctx, client, b.Addr)
		text := "accounts:\n- accessKey: root-of-source\n  secretKey: secret-of-root-of-source\n  admin: true\n"
		for _, a := range applications {
			text += fmt.Sprintf("- accessKey: %s\n  secretKey: %s\n%s", a.name, a.secret(), a.lines)
		}
		file := filepath.Join(c.Dir, b.Name, "conf", "plain_acl.yml")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) // the broker reads it again by itself
		last := clientOf(t, applications[len(applications)-1].credentials())
		await(t, ctx, "broker "+b.Name+" knows the accounts", func() error {
			_, err := last.MaxOffset(ctx, b.Addr, "orders", 0)
			return err
		})
	}
	return c, admin
}

func startTarget(t *testing.T, ctx context.Context, version string) (*lab.Cluster, *lab.Account) {
	t.Helper()
	admin := &lab.Account{AccessKey: "root-of-target", SecretKey: "secret-of-root-of-target"}
	c := labtest.OwnCluster(t, lab.ClusterSpec{
		Name: "New", Version: version, Brokers: 2, Admin: admin, Proxy: true,
		Config: map[string]string{"autoCreateTopicEnable": "false"},
	})
	client := clientOf(t, &remoting.Credentials{AccessKey: admin.AccessKey, SecretKey: admin.SecretKey})
	for _, b := range c.Brokers {
		makeNames(t, ctx, client, b.Addr)
	}
	return c, admin
}

func clientOf(t *testing.T, keys *remoting.Credentials) *rocketmq.Client {
	t.Helper()
	c := rocketmq.NewClient(rocketmq.Options{Credentials: keys})
	t.Cleanup(c.Close)
	return c
}

func makeNames(t *testing.T, ctx context.Context, client *rocketmq.Client, addr string) {
	t.Helper()
	for _, topic := range topics {
		require.NoError(t, client.CreateTopic(ctx, addr, rocketmq.TopicConfig{
			Name: topic, ReadQueues: 2, WriteQueues: 2, Perm: 6,
		}))
	}
	for _, group := range append(groups, "by-grpc") { // which no other kind of client uses
		require.NoError(t, client.PutGroup(ctx, addr, rocketmq.NewGroup(group)))
	}
}

func await(t *testing.T, ctx context.Context, what string, try func() error) {
	t.Helper()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not yet, as %v", what, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// heartbeat is what a member of a group says.
func heartbeat(group, topic string) []byte {
	body, _ := json.Marshal(map[string]any{ // strings always marshal
		"clientID": "127.0.0.1@probe", "producerDataSet": []any{},
		"consumerDataSet": []any{map[string]any{
			"groupName": group, "consumeType": "CONSUME_PASSIVELY", "messageModel": "CLUSTERING",
			"consumeFromWhere": "CONSUME_FROM_LAST_OFFSET", "unitMode": false,
			"subscriptionDataSet": []any{map[string]any{
				"topic": topic, "subString": "*", "tagsSet": []any{}, "codeSet": []any{}, "subVersion": 1,
				"expressionType": "TAG", "classFilterMode": false,
			}},
		}},
	})
	return body
}

// probe is a request whose refusal tells a right.
type probe struct {
	name  string
	fits  func(topic, group string) bool // once for each topic or group is enough
	build func(topic, group string) *remoting.Command
}

var probes = []probe{
	{"send", firstGroup, func(topic, _ string) *remoting.Command {
		return &remoting.Command{Code: remoting.CodeSendV2, Body: []byte("x"), Fields: map[string]string{
			"a": "senders", "b": topic, "c": "TBW102", "d": "4", "e": "0", "f": "0", "g": "1", "h": "0",
			"i": "", "j": "0", "k": "false", "l": "16", "m": "false",
		}}
	}},
	{
		"trace", func(topic, group string) bool { return topic == topics[0] && group == groups[0] },
		func(string, string) *remoting.Command {
			return &remoting.Command{Code: remoting.CodeSendV2, Body: []byte("x"), Fields: map[string]string{
				"a": "tracers", "b": "RMQ_SYS_TRACE_TOPIC", "c": "TBW102", "d": "4", "e": "0", "f": "0", "g": "1", "h": "0",
				"i": "", "j": "0", "k": "false", "l": "16", "m": "false",
			}}
		},
	},
	{"heartbeat", always, func(topic, group string) *remoting.Command {
		return &remoting.Command{
			Code:   remoting.CodeHeartbeat,
			Body:   heartbeat(group, topic),
			Fields: map[string]string{},
		}
	}},
	{"pull", always, func(topic, group string) *remoting.Command {
		return &remoting.Command{Code: remoting.CodePull, Fields: map[string]string{
			"consumerGroup": group, "topic": topic, "queueId": "0", "queueOffset": "0", "maxMsgNums": "1", "sysFlag": "4",
			"commitOffset": "0", "suspendTimeoutMillis": "0", "subscription": "*", "subVersion": "0",
			"expressionType": "TAG",
		}}
	}},
	{"commit", always, func(topic, group string) *remoting.Command {
		return &remoting.Command{Code: remoting.CodeUpdateOffset, Fields: map[string]string{
			"consumerGroup": group, "topic": topic, "queueId": "0", "commitOffset": "0",
		}}
	}},
	{
		"members", func(topic, _ string) bool { return topic == topics[0] },
		func(_, group string) *remoting.Command {
			return &remoting.Command{Code: remoting.CodeMembers, Fields: map[string]string{"consumerGroup": group}}
		},
	},
	{
		"create topic", func(topic, group string) bool { return topic == topics[1] && group == groups[0] },
		func(topic, _ string) *remoting.Command {
			return &remoting.Command{Code: remoting.CodeCreateTopic, Fields: map[string]string{
				"topic": topic, "defaultTopic": "TBW102", "readQueueNums": "2", "writeQueueNums": "2", "perm": "6",
				"topicFilterType": "SINGLE_TAG", "topicSysFlag": "0", "order": "false",
			}}
		},
	},
}

func always(string, string) bool { return true }

func firstGroup(_, group string) bool { return group == groups[0] }

// asked is one probe of one application.
type asked struct{ application, probe, topic, group string }

// rulings asks a server everything, and says what it allows.
func rulings(t *testing.T, ctx context.Context, at place, onProxy bool) map[asked]bool {
	t.Helper()
	out := map[asked]bool{}
	for _, a := range applications {
		// closed at the end: members of groups must be gone when stock clients come
		client := rocketmq.NewClient(rocketmq.Options{Credentials: a.credentials()})
		defer client.Close()
		for _, p := range probes {
			for _, topic := range topics {
				for _, group := range groups {
					if !p.fits(topic, group) || onProxy && !proxied(p.name) {
						continue
					}
					c := p.build(topic, group)
					if onProxy {
						c.Fields["bname"], c.Fields["n"] = "broker-a", "broker-a"
					}
					got, err := client.Call(ctx, at.addr, c)
					require.NoError(t, err, "%s of %s at %s", p.name, a.name, at.name)
					out[asked{a.name, p.name, topic, group}] = !refused(got)
				}
			}
		}
	}
	return out
}

// refused reports whether an answer is that of an access control: ACL 2.0 answers NO_PERMISSION, ACL
// 1.0 an AclException, and proxies SYSTEM_ERROR with the words of ACL 2.0.
func refused(got *remoting.Command) bool {
	if got.Code == remoting.NoPermission {
		return true
	}
	for _, words := range []string{"AclException", "has no permission", "check signature failed", "is not found."} {
		if got.Code == remoting.SystemError && strings.Contains(got.Remark, words) {
			return true
		}
	}
	return false
}

// proxied are probes that a proxy serves.
func proxied(name string) bool {
	return name == "send" || name == "heartbeat" || name == "pull" || name == "commit"
}
