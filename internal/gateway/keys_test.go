package gateway

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/controlserver"
	"rocketshift/internal/gateway/keys"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

func TestKeysFilesThatAreWrongAreRefused(t *testing.T) {
	for text, says := range map[string]string{
		"applications: [{accessKey: a}]": "applications[0]: " +
			"access key a: secretKey is missing",
		"applications: [{secretKey: s}]": "applications[0]: " +
			"accessKey is missing",
		"applications: [{accessKey: a, secretKey: s, target: {accessKey: b}}]": "applications[0]: " +
			"access key b: secretKey is missing",
		"applications: [{accessKey: a, secretKey: s}, {accessKey: a, secretKey: s}]": "applications[1]: " +
			"access key a: it is there twice",
		"applications: [{accesskey: a, secretKey: s}]\nmore: 1": "unknown field",
		"unsigned: {accessKey: a}": "unsigned: " +
			"access key a: secretKey is missing",
		"applications: [{accessKey: \"a\\\"b\", secretKey: s}]":                              "only printable ASCII",
		"applications: [{accessKey: a, secretKey: s, target: {accessKey: ü, secretKey: s}}]": "only printable ASCII",
	} {
		_, err := keys.Parse([]byte(text))
		assert.ErrorContains(t, err, says, text)
	}
}

// What is wrong with a file is said without anything that it holds but known names: with a colon or
// a quote forgotten, a secret is part of what looks like a name or an access key.
func TestErrorsAboutKeysFilesShowNoSecret(t *testing.T) {
	for _, text := range []string{
		"applications: [{accessKey: a, secretKey: hush-hush, target: hush-hush}]",
		"applications: {accessKey: a, secretKey: hush-hush}",
		"applications:\n- secretKey: hush-hush\n\t- x", "secretKey: hush-hush",
		"applications: [{accessKey: a, secretKey: [hush-hush]}]", "hush-hush", "\thush-hush",
		`unsigned: {secretKey: "hush-hush", other: a}`,
		"applications: [{accessKey: a, secretKey: hush-hush}, {accessKey: a, secretKey: hush-hush}]",
		"applications: [{accessKey: a, secretKey hush-hush}]",
		"applications: [{accessKey: a, hush-hush}]", "applications: [{accessKey: a, hush-hush: b}]",
		"applications: [{accessKey: a, secretKey: one hush-hush, one hush-hush: 1}]",
		"applications:\n- accessKey: a\n  secretKey:hush-hush\n",
		"applications:\n- accessKey: a\n  secretKey= hush-hush\n",
		"applications:\n- accessKey: a, secretKey hush-hush\n",
		"applications:\n- accessKey: a,secretKey=hush-hush\n",
		"applications:\n- {accessKey: a secretKey=hush-hush, secretKey: a}\n" +
			"- {accessKey: a secretKey=hush-hush, secretKey: a}\n",
		"applications:\n- accessKey: a\n  hush-hush: 1\n  hush-hush: 1\n",
		"applications:\n- accessKey: a\n  secretKey: *hush-hush\n",
		"applications:\n- accessKey: a\n  secretKey: !!int hush-hush\n",
		"applications:\n- accessKey: a\n  ? [hush-hush]\n  : 3\n",
		"applications:\n- accessKey: \"a\\u0001hush-hush\"\n  secretKey: b\n",
		"applications: hush-hush", "<<: hush-hush",
	} {
		_, err := keys.Parse([]byte(text))
		require.Error(t, err, text)
		assert.NotContains(t, err.Error(), "hush", text)
		t.Logf("%q: %v", text, err)
	}
}

// What is no secret helps whoever mends the file.
func TestErrorsAboutKeysFilesSayWhereTheFaultIs(t *testing.T) {
	for text, says := range map[string]string{
		"applications: [{access_key: a}]": "unknown field access_key",
		"applications: [{accessKey: a, key: b}]": "possible are applications, unsigned, " +
			"accessKey, secretKey and target",
		"applications:\n- accessKey: a\n  secretKey= b\n":       "line 4",
		"applications:\n- accessKey: a\n  accessKey: b\n":       "line 3: the same name twice",
		"applications: [{accessKey: a, secretKey: [b]}]":        "secretKey is of a wrong kind",
		"applications: {accessKey: a}":                          "applications is of a wrong kind",
		"applications: [{accessKey: a}]":                        "access key a: secretKey is missing",
		"applications: [{accessKey: a b}]":                      "applications[0]: secretKey is missing",
		"applications: [{accessKey: \"a\\\"b\", secretKey: c}]": "applications[0]: only printable ASCII",
	} {
		_, err := keys.Parse([]byte(text))
		require.ErrorContains(t, err, says, text)
	}
}

// A file that is being written, that is empty, or that everybody may read, leaves the keys as they
// are.
func TestKeysStayWhileTheirFileIsUnfit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.yaml")
	const good = "applications: [{accessKey: app, secretKey: one}]"
	write := func(text string, mode os.FileMode) {
		require.NoError(t, os.WriteFile(file, []byte(text), mode))
		require.NoError(t, os.Chmod(file, mode))
	}
	k := keys.Keys{File: file}
	write(good, 0o644)
	_, err := k.Read()
	require.ErrorContains(t, err, "everybody on this machine may read it (mode 0644)")
	write(good, 0o640)
	changed, err := k.Read()
	require.NoError(t, err)
	require.True(t, changed)

	require.NoError(t, os.Chmod(file, 0o644))
	changed, err = k.Read()
	require.ErrorContains(t, err, "mode 0644", "it was opened after it was read")
	require.False(t, changed)
	require.NoError(t, os.Chmod(file, 0o640))
	_, err = k.Read()
	require.NoError(t, err)

	has := func(key string) bool { _, known := k.Of([]byte(key)); return known }
	for _, text := range []string{"", "applications:", "applications: [{accessKey: app, secre"} {
		write(text, 0o600)
		changed, err = k.Read()
		require.NoError(t, err, "it may be half written")
		require.False(t, changed)
		_, err = k.Read()
		require.Error(t, err, "%q is all that there is", text)
		require.True(t, has("app"), "%q", text)
	}
	write("applications: [{accessKey: other, secretKey: two}]", 0o600)
	_, err = k.Read()
	require.NoError(t, err)
	require.True(t, has("app"))
	changed, err = k.Read()
	require.NoError(t, err)
	require.True(t, changed)
	require.True(t, has("other") && !has("app"))
}

func TestRequestsAreSignedOnlyWhereTheyMustBe(t *testing.T) {
	var k keys.Keys
	all, err := keys.Parse(
		[]byte(
			"applications: [{accessKey: app, secretKey: one, target: {accessKey: app-there, secretKey: " +
				"two}}]\nunsigned: {accessKey: guest, secretKey: three}",
		),
	)
	require.NoError(t, err)
	k.Current.Store(&all)
	for name, c := range map[string]struct {
		key     string
		to      routing.Side
		change  bool
		signsAs string // "": as it was
	}{
		"to the source as it is":          {key: "app", to: routing.Source},
		"to the source with a change":     {key: "app", to: routing.Source, change: true, signsAs: "app"},
		"to the target":                   {key: "app", to: routing.Target, signsAs: "app-there"},
		"unsigned to the source":          {to: routing.Source, change: true},
		"unsigned to the target":          {to: routing.Target, signsAs: "guest"},
		"an unknown one to the target":    {key: "stranger", to: routing.Target},
		"an unknown one, changed, source": {key: "stranger", to: routing.Source, change: true},
	} {
		t.Run(name, func(t *testing.T) {
			fields := []string{"queueId", "1"}
			if c.key != "" {
				fields = append(fields, wire.FieldAccessKey, c.key, "Signature", "theirs")
			}
			var f, got wire.Frame
			require.NoError(t, f.Parse(wire.AppendRequest(nil, 310, 1, 0, fields, nil)))
			if c.change {
				f.Set("queueId", "2")
			}
			k.Sign(&f, c.to)
			require.NoError(t, got.Parse(f.AppendHead(nil)))
			if c.signsAs == "" {
				assert.Equal(t, c.key, string(got.Get(wire.FieldAccessKey)))
				assert.Equal(t, c.key != "", bytes.Equal(got.Get("Signature"), []byte("theirs")))
				return
			}
			assert.Equal(t, c.signsAs, string(got.Get(wire.FieldAccessKey)))
			assert.NotEqual(t, "theirs", string(got.Get("Signature")))
		})
	}
}

// Both clusters refuse who they don't know, and know the applications by other keys. Nothing moves
// before the gateway can sign for them.
func TestLiveApplicationsSignOnBothSides(t *testing.T) {
	here, there := &lab.Account{
		AccessKey: "source-admin",
		SecretKey: "source-secret",
	}, &lab.Account{
		AccessKey: "target-admin",
		SecretKey: "target-secret",
	}
	source := labtest.OwnCluster(t, lab.ClusterSpec{Name: "SignedOld", Version: "4.9.7", Brokers: 1, Admin: here})
	target := labtest.OwnCluster(t, lab.ClusterSpec{Name: "SignedNew", Version: "5.3.3", Brokers: 1, Admin: there})
	ctx, cancel := context.WithTimeout(context.Background(), rigTime)
	t.Cleanup(cancel)
	onSource := &remoting.Credentials{AccessKey: here.AccessKey, SecretKey: here.SecretKey}
	onTarget := &remoting.Credentials{AccessKey: there.AccessKey, SecretKey: there.SecretKey}
	r := &rig{
		T:      t,
		ctx:    ctx,
		name:   "signed",
		source: connect(t, source, onSource),
		target: connect(t, target, onTarget),
		signs:  primitive.Credentials{AccessKey: "orders-app", SecretKey: "orders-secret"},
		seen:   &seen{},
	}
	file := filepath.Join(t.TempDir(), "keys.yaml")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	write("applications: []")
	r.configure(source.NameServers)
	r.config.Credentials, r.config.OnTarget, r.config.Keys = onSource, onTarget, file

	accounts := filepath.Join(source.Dir, source.Brokers[0].Name, "conf",
		"plain_acl.yml") // which the broker reads again by itself
	before, err := os.ReadFile(accounts)
	require.NoError(t, err)
	rules := string(
		before,
	) + "- accessKey: orders-app\n  secretKey: orders-secret\n  admin: false\n  defaultTopicPerm: PUB|SUB\n  " +
		"defaultGroupPerm: SUB\n"
	require.NoError(t, os.WriteFile(accounts, []byte(rules), 0o600))

	orders, billing := r.topic("orders", 4), r.group("billing")
	application := connect(t, source, &remoting.Credentials{AccessKey: "orders-app", SecretKey: "orders-secret"})
	r.await("the source knows the application", func() string {
		_, err := application.Client().MaxOffset(ctx, source.Brokers[0].Addr, orders, 0)
		return textOf(err)
	})
	r.replicate()
	g := r.open()
	ordered := r.consume(billing, orders, 1, true)
	r.warmUp(orders, ordered)
	r.control()
	load := r.produce(orders, "key", 8, 20*time.Millisecond)
	_, err = g.Move(ctx, control.Move{ID: "early", Kind: control.KindSide, To: "target", Groups: []string{billing}})
	require.ErrorIs(t, err, control.ErrRefused)
	require.ErrorContains(t, err, "signs with access key orders-app, of which the gateway has no secret")

	write(
		"applications: [{accessKey: orders-app, secretKey: orders-secret, target: {accessKey: orders-there, " +
			"secretKey: there-secret}}]",
	)
	problem := func() (all string) {
		for _, c := range g.State().Clients {
			all += c.Problem
		}
		return all
	}
	r.eventually("the target refuses the account that nobody has made", func() bool {
		return strings.Contains(problem(), "target broker "+target.Brokers[0].Name+" answers its heartbeat with code")
	})
	t.Log(problem())
	r.readsAlone(target.Brokers[0].Addr, orders, billing, problem)

	r.forges(orders, billing)
	for _, to := range []string{"target", "source", "target"} {
		r.move(control.Move{Kind: control.KindSide, To: to, Groups: []string{billing}})
		r.move(control.Move{Kind: control.KindHome, To: to, Topics: []string{orders}})
		r.untilMore(200, load, ordered)
		r.forges(orders, billing)
	}
	r.move(control.Move{Kind: control.KindAuthority, To: "target"})
	r.untilMore(200, load, ordered)
	r.forges(orders, billing)
	load.end()
	ordered.untilRead(load)
	r.sentWell(ordered, load)
	assert.Equal(t, verdict{}, ordered.judge(load))
	for _, side := range []*rocketmq.Cluster{r.source, r.target} {
		assert.NotContains(t, r.stored(side, orders), forgedBody)
	}
	r.whiteListed(accounts, rules)
}

// whiteListed puts the gateway's address on the source's white list: then the source asks nobody
// behind it who they are.
func (r *rig) whiteListed(accounts, rules string) {
	r.Helper()
	require.NoError(r, r.gateway.checks.LookAtWhiteLists(r.ctx), "so far it asks")
	write := func(text string) { require.NoError(r, os.WriteFile(accounts, []byte(text), 0o600)) }
	write("globalWhiteRemoteAddresses:\n- 127.0.0.*\n" + rules)
	r.await("the gateway sees that the broker lets everybody in", func() string {
		if r.gateway.checks.LookAtWhiteLists(r.ctx) != nil {
			return ""
		}
		return "a broker that does"
	})
	assert.Equal(r, controlserver.HealthOpen, r.gateway.Health().State)
	r.move(control.Move{Kind: control.KindAuthority, To: "source"})
	was, err := r.gateway.Move(r.ctx, control.Move{ID: "open", Kind: control.KindAuthority, To: "target"})
	assert.False(r, was.Done)
	assert.Contains(r, fmt.Sprint(err, was.Reason), "take that address out of its white list")
	config := r.config
	config.Dir = r.TempDir()
	_, err = Start(config)
	assert.ErrorContains(r, err, "lets everybody in who comes from the gateway's address")
}

const forgedBody = "forged"

// forges sends what somebody who knows the application's access key, and not its secret, could
// send. Each is answered as by the source's broker, to which the same is sent straight.
func (r *rig) forges(topic, group string) {
	r.Helper()
	client := rocketmq.NewClient(
		rocketmq.Options{
			Credentials: &remoting.Credentials{AccessKey: r.signs.AccessKey, SecretKey: "not their secret"},
		},
	)
	defer client.Close()
	straight := r.brokers(r.source)
	through := r.gateway.clients.ports.translation()[straight[0].Addr]
	for what, does := range map[string]func(addr string) error{
		"a send": func(addr string) error {
			_, err := client.SendMessage(r.ctx, addr, rocketmq.SendRequest{Group: "forgers", Topic: topic, BornTimestamp: time.Now().UnixMilli(), Body: []byte(forgedBody)})
			return err
		},
		"a pull": func(addr string) error {
			_, err := client.Pull(r.ctx, addr, rocketmq.PullRequest{Group: group, Topic: topic, Max: 1})
			return err
		},
		"a commit": func(addr string) error { return client.UpdateOffset(r.ctx, addr, group, topic, 0, 1<<40) },
		"a lock": func(addr string) error {
			_, err := client.LockQueues(r.ctx, addr, group, "forger", []rocketmq.MessageQueue{{Topic: topic, Broker: straight[0].Name}})
			return err
		},
	} {
		want, got := does(straight[0].Addr), does(through)
		if remoting.CodeOf(
			want,
		) == remoting.Success { // such as locks, which brokers of 4.9.7 give to everybody: more is refused here
			want = &remoting.Error{Code: remoting.SystemError}
		}
		require.Equal(r, remoting.CodeOf(want), remoting.CodeOf(got),
			"%s: %v, and straight to the source's broker %v", what, got, want)
		require.ErrorContains(r, got, "Check signature failed", what)
	}
}
