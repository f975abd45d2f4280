package gateway

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
)

func TestKeysFilesThatAreWrongAreRefused(t *testing.T) {
	for text, says := range map[string]string{
		"applications: [{accessKey: a}]":                                                     "applications[0]: access key a: secretKey is missing",
		"applications: [{secretKey: s}]":                                                     "applications[0]: accessKey is missing",
		"applications: [{accessKey: a, secretKey: s, target: {accessKey: b}}]":               "applications[0]: access key b: secretKey is missing",
		"applications: [{accessKey: a, secretKey: s}, {accessKey: a, secretKey: s}]":         "applications[1]: access key a is there twice",
		"applications: [{accesskey: a, secretKey: s}]\nmore: 1":                              "unknown field",
		"unsigned: {accessKey: a}":                                                           "unsigned: access key a: secretKey is missing",
		"applications: [{accessKey: \"a\\\"b\", secretKey: s}]":                              "only printable ASCII",
		"applications: [{accessKey: a, secretKey: s, target: {accessKey: ü, secretKey: s}}]": "only printable ASCII",
	} {
		_, err := parseKeys([]byte(text))
		assert.ErrorContains(t, err, says, text)
	}
}

func TestRequestsAreSignedOnlyWhereTheyMustBe(t *testing.T) {
	var k keys
	all, err := parseKeys([]byte("applications: [{accessKey: app, secretKey: one, target: {accessKey: app-there, secretKey: two}}]\nunsigned: {accessKey: guest, secretKey: three}"))
	require.NoError(t, err)
	k.now.Store(&all)
	for name, c := range map[string]struct {
		key     string
		to      side
		change  bool
		signsAs string // "": as it was
	}{
		"to the source as it is":          {key: "app", to: source},
		"to the source with a change":     {key: "app", to: source, change: true, signsAs: "app"},
		"to the target":                   {key: "app", to: target, signsAs: "app-there"},
		"unsigned to the source":          {to: source, change: true},
		"unsigned to the target":          {to: target, signsAs: "guest"},
		"an unknown one to the target":    {key: "stranger", to: target},
		"an unknown one, changed, source": {key: "stranger", to: source, change: true},
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
			k.sign(&f, c.to)
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

// Both clusters refuse who they don't know, and know the applications by other keys. Nothing moves before the gateway can sign for them.
func TestLiveApplicationsSignOnBothSides(t *testing.T) {
	here, there := &lab.Account{AccessKey: "source-admin", SecretKey: "source-secret"}, &lab.Account{AccessKey: "target-admin", SecretKey: "target-secret"}
	source := labtest.OwnCluster(t, lab.ClusterSpec{Name: "SignedOld", Version: "4.9.7", Brokers: 1, Admin: here})
	target := labtest.OwnCluster(t, lab.ClusterSpec{Name: "SignedNew", Version: "5.3.3", Brokers: 1, Admin: there})
	ctx, cancel := context.WithTimeout(context.Background(), rigTime)
	t.Cleanup(cancel)
	onSource := &rocketmq.Credentials{AccessKey: here.AccessKey, SecretKey: here.SecretKey}
	onTarget := &rocketmq.Credentials{AccessKey: there.AccessKey, SecretKey: there.SecretKey}
	r := &rig{T: t, ctx: ctx, name: "signed", source: connect(t, source, onSource), target: connect(t, target, onTarget), signs: primitive.Credentials{AccessKey: "orders-app", SecretKey: "orders-secret"}, seen: &seen{}}
	file := filepath.Join(t.TempDir(), "keys.yaml")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	write("applications: []")
	r.configure(source.NameServers)
	r.config.Credentials, r.config.OnTarget, r.config.Keys = onSource, onTarget, file

	accounts := filepath.Join(source.Dir, source.Brokers[0].Name, "conf", "plain_acl.yml") // which the broker reads again by itself
	before, err := os.ReadFile(accounts)
	require.NoError(t, err)
	rules := string(before) + "- accessKey: orders-app\n  secretKey: orders-secret\n  admin: false\n  defaultTopicPerm: PUB|SUB\n  defaultGroupPerm: SUB\n"
	require.NoError(t, os.WriteFile(accounts, []byte(rules), 0o600))

	orders, billing := r.topic("orders", 4), r.group("billing")
	application := connect(t, source, &rocketmq.Credentials{AccessKey: "orders-app", SecretKey: "orders-secret"})
	r.await("the source knows the application", func() string {
		_, err := application.Client().MaxOffset(ctx, source.Brokers[0].Addr, orders, 0)
		return textOf(err)
	})
	r.replicate()
	g := r.open()
	ordered := r.consume(billing, orders, 1, true)
	r.warmUp(orders, ordered)
	r.control()
	load := r.produce(orders, "key", 8, 5*time.Millisecond)
	_, err = g.Move(ctx, Move{ID: "early", Kind: KindSide, To: "target", Groups: []string{billing}})
	require.ErrorIs(t, err, ErrRefused)
	require.ErrorContains(t, err, "signs with access key orders-app, of which the gateway has no secret")

	write("applications: [{accessKey: orders-app, secretKey: orders-secret, target: {accessKey: orders-there, secretKey: there-secret}}]")
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
	made, err := r.target.Client().Call(ctx, target.Brokers[0].Addr, &rocketmq.Command{
		Code: 3001, Fields: map[string]string{"username": "orders-there"}, // AUTH_CREATE_USER
		Body: []byte(`{"username": "orders-there", "password": "there-secret", "userType": "Super", "userStatus": "enable"}`),
	})
	require.NoError(t, err)
	require.Equal(t, rocketmq.Success, made.Code, made.Remark)
	r.await("the target takes it", problem)

	for _, to := range []string{"target", "source", "target"} {
		r.move(Move{Kind: KindSide, To: to, Groups: []string{billing}})
		r.move(Move{Kind: KindHome, To: to, Topics: []string{orders}})
		r.untilMore(200, load, ordered)
	}
	r.move(Move{Kind: KindAuthority, To: "target"})
	load.end()
	ordered.untilRead(load)
	r.sentWell(ordered, load)
	assert.Equal(t, verdict{}, ordered.judge(load))
}
