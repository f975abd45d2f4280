package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/rlog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/metadata"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

const (
	shopRoot   = "root-of-both"
	shopQueues = 2 // of each topic on each broker
	shopOrder  = "broker-a:2;broker-b:2"
)

// shopTypes are the topics of the source, and the type of their messages.
var shopTypes = map[string]string{
	"shop-plain": "NORMAL", "shop-orders": "FIFO", "shop-later": "DELAY", "shop-paid": "TRANSACTION",
}

// shopOther is a type that each topic doesn't take.
var shopOther = map[string]string{
	"shop-plain": "FIFO", "shop-orders": "NORMAL", "shop-later": "NORMAL", "shop-paid": "DELAY",
}

func secretOf(name string) string { return "secret-of-" + name }

// shop is a cluster with access control, and an application with rights on it.
type shop struct {
	*testing.T
	*lab.Cluster
	root *rocketmq.Client
}

func shopSource(t *testing.T, version string, brokers int) shop {
	t.Helper()
	admin := &lab.Account{AccessKey: shopRoot, SecretKey: secretOf(shopRoot)}
	s := shop{T: t, Cluster: labtest.OwnCluster(t, lab.ClusterSpec{Version: version, Brokers: brokers, Admin: admin})}
	s.root = s.as(shopRoot)
	return s
}

func shopTarget(t *testing.T, version string) shop {
	t.Helper()
	admin := &lab.Account{AccessKey: shopRoot, SecretKey: secretOf(shopRoot)}
	s := shop{T: t, Cluster: labtest.OwnCluster(t, lab.ClusterSpec{
		Name: "New", Version: version, Brokers: 2, Admin: admin, Proxy: true,
		Config: map[string]string{"autoCreateTopicEnable": "false", "autoCreateSubscriptionGroup": "false"},
	})}
	s.root = s.as(shopRoot)
	return s
}

// as is a client with an account's keys.
func (s shop) as(name string) *rocketmq.Client {
	s.Helper()
	c := rocketmq.NewClient(rocketmq.Options{
		Credentials: &remoting.Credentials{AccessKey: name, SecretKey: secretOf(name)},
	})
	s.Cleanup(c.Close)
	return c
}

func (s shop) eventually(what string, is func() bool) {
	s.Helper()
	require.Eventually(s, is, 90*time.Second, 100*time.Millisecond, what)
}

func (s shop) makeTopics(names ...string) {
	s.Helper()
	for _, b := range s.Brokers {
		for _, name := range names {
			require.NoError(s, s.root.CreateTopic(s.Context(), b.Addr, rocketmq.TopicConfig{
				Name: name, ReadQueues: shopQueues, WriteQueues: shopQueues, Perm: 6, Order: name == "shop-orders",
			}))
		}
	}
}

func (s shop) makeGroups(names ...string) {
	s.Helper()
	for _, b := range s.Brokers {
		for _, name := range names {
			require.NoError(s, s.root.PutGroup(s.Context(), b.Addr, rocketmq.NewGroup(name)))
		}
	}
}

// allow writes accounts with their rights, waits until brokers know them, and returns such a file.
func (s shop) allow(accounts map[string]string, topic string) (file string) {
	s.Helper()
	text := fmt.Sprintf("accounts:\n- accessKey: %s\n  secretKey: %s\n  admin: true\n", shopRoot, secretOf(shopRoot))
	for name, rights := range accounts {
		text += fmt.Sprintf("- accessKey: %s\n  secretKey: %s\n%s", name, secretOf(name), rights)
	}
	for _, b := range s.Brokers {
		file = filepath.Join(s.Dir, b.Name, "conf", "plain_acl.yml")
		require.NoError(s, os.WriteFile(file, []byte(text), 0o600)) // the broker reads it again by itself
		for name := range accounts {
			client := s.as(name)
			s.eventually(b.Name+" knows "+name, func() bool {
				_, err := client.MaxOffset(s.Context(), b.Addr, topic, 0)
				return err == nil
			})
		}
	}
	return file
}

// openShop makes what the source has: messages of every type, delays that are pending, an order
// topic, and a member that reads it in order.
func (s shop) openShop() {
	s.Helper()
	for topic := range shopTypes {
		s.makeTopics(topic)
	}
	s.makeGroups("shop-billing", "shop-by-grpc")
	require.NoError(s, s.root.PutKV(s.Context(), s.NameServers[0], metadata.OrderNamespace, "shop-orders", shopOrder))
	var topics []string
	for topic := range shopTypes {
		topics = append(topics, topic+"=PUB|SUB")
	}
	s.allow(map[string]string{
		"shop-app": "  topicPerms: [" + strings.Join(topics, ", ") + "]\n" +
			"  groupPerms: [shop-billing=SUB, shop-by-grpc=SUB]\n",
		"shop-guest": "  topicPerms: [shop-plain=SUB]\n  groupPerms: [shop-billing=SUB]\n",
	}, "shop-plain")
	app := s.as("shop-app")
	for _, b := range s.Brokers {
		for topic, kind := range shopTypes {
			require.NoError(s, s.send(app, b.Addr, topic, kind, nil))
		}
		require.NoError(s, s.send(app, b.Addr, "shop-later", "DELAY", []byte("pending")))
	}
	for _, b := range s.Brokers {
		for topic := range shopTypes {
			s.wantReadable(app, b.Addr, topic, "shop-billing")
		}
		s.eventually("brokers have heard of the order configuration", func() bool {
			configs, err := s.root.TopicConfigs(s.Context(), b.Addr)
			return err == nil && configs["shop-orders"].Order
		})
	}
	s.startMember()
}

// startMember starts a stock member of shop-billing that reads in order.
func (s shop) startMember() {
	s.Helper()
	rlog.SetLogLevel("fatal") // the test tells by itself what is missing
	c, err := consumer.NewPushConsumer(consumer.WithGroupName("shop-billing"), consumer.WithConsumerOrder(true),
		consumer.WithNsResolver(primitive.NewPassthroughResolver(s.NameServers)),
		consumer.WithCredentials(primitive.Credentials{AccessKey: "shop-app", SecretKey: secretOf("shop-app")}))
	require.NoError(s, err)
	require.NoError(s, c.Subscribe("shop-orders", consumer.MessageSelector{},
		func(context.Context, ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
			return consumer.ConsumeSuccess, nil
		}))
	require.NoError(s, c.Start())
	s.Cleanup(func() { _ = c.Shutdown() })
	for _, b := range s.Brokers {
		s.eventually(b.Name+" knows the member", func() bool {
			all, err := s.root.ConsumerConnectionsOf(s.Context(), b.Addr, "shop-billing")
			return err == nil && len(all.Connections) == 1
		})
	}
}

// typed is a send of a message of a type; pending ones are delivered in half an hour.
func typed(topic, kind string, body []byte) *remoting.Command {
	properties := []remoting.Property{{Name: remoting.PropUniqKey, Value: fmt.Sprint(time.Now().UnixNano())}}
	flag := "0"
	switch {
	case kind == "FIFO":
		properties = append(properties, remoting.Property{Name: remoting.PropShardingKey, Value: "k"})
	case kind == "DELAY" && body != nil:
		properties = append(properties, remoting.Property{Name: remoting.PropDelay, Value: "16"})
	case kind == "DELAY":
		properties = append(properties, remoting.Property{Name: remoting.PropDelay, Value: "1"})
	case kind == "TRANSACTION":
		flag = "4" // TRANSACTION_PREPARED_TYPE
		properties = append(properties, remoting.Property{Name: remoting.PropTranMsg, Value: "true"},
			remoting.Property{Name: "PGROUP", Value: "makers"})
	}
	if body == nil {
		body = []byte("of type " + kind)
	}
	return &remoting.Command{Code: remoting.CodeSendV2, Body: body, Fields: map[string]string{
		"a": "makers", "b": topic, "c": "TBW102", "d": "4", "e": "0", "f": flag,
		"g": strconv.FormatInt(time.Now().UnixMilli(), 10), "h": "0",
		"i": string(remoting.EncodeProperties(properties)), "j": "0", "k": "false", "l": "16", "m": "false",
	}}
}

// send sends a message of a type to a broker, and commits a transaction.
func (s shop) send(client *rocketmq.Client, addr, topic, kind string, body []byte) error {
	got, err := client.Call(s.Context(), addr, typed(topic, kind, body))
	if err != nil || got.Code != remoting.Success {
		return fmt.Errorf("%s to %s: %v, %w", kind, topic, got, err)
	}
	if kind != "TRANSACTION" {
		return nil
	}
	id := got.Fields["msgId"]
	at, err := strconv.ParseInt(id[len(id)-16:], 16, 64)
	if err != nil {
		return err
	}
	got, err = client.Call(s.Context(), addr, &remoting.Command{
		Code: remoting.CodeEndTransaction, Fields: map[string]string{
			"topic": topic, "producerGroup": "makers", "tranStateTableOffset": got.Fields["queueOffset"],
			"commitLogOffset": strconv.FormatInt(at, 10), "commitOrRollback": "8", "fromTransactionCheck": "false",
			"msgId": id, "transactionId": id,
		},
	})
	if err != nil || got.Code != remoting.Success {
		return fmt.Errorf("commit of %s: %v, %w", topic, got, err)
	}
	return nil
}

func (s shop) sendTo(addr, topic, kind string, body []byte) {
	s.Helper()
	require.NoError(s, s.send(s.root, addr, topic, kind, body))
}

// wantReadable waits until a message is there that a group may read.
func (s shop) wantReadable(client *rocketmq.Client, addr, topic, group string) {
	s.Helper()
	var last error
	s.eventually("a message of "+topic+" at "+addr, func() bool {
		got, err := client.Pull(s.Context(), addr, rocketmq.PullRequest{Group: group, Topic: topic, Max: 1})
		last = err
		return err == nil && len(got.Messages) == 1
	})
	require.NoError(s, last)
}

// wantBrokersServe has applications send each type to each broker, and read it.
func (s shop) wantBrokersServe() {
	s.Helper()
	app, guest := s.as("shop-app"), s.as("shop-guest")
	for _, b := range s.Brokers {
		for topic, kind := range shopTypes {
			require.NoError(s, s.send(app, b.Addr, topic, kind, nil))
			s.wantReadable(app, b.Addr, topic, "shop-billing")
			assert.Error(s, s.send(guest, b.Addr, topic, kind, nil), "the guest may not write")
		}
		s.wantReadable(guest, b.Addr, "shop-plain", "shop-billing")
	}
}

// wantProxyServes sends each type through the proxy's remoting port, and others, which it refuses.
func (s shop) wantProxyServes() {
	s.Helper()
	app, guest := s.as("shop-app"), s.as("shop-guest")
	ask := func(client *rocketmq.Client, topic, kind string) *remoting.Command {
		s.Helper()
		c := typed(topic, kind, nil)
		c.Fields["n"] = s.Brokers[0].Name
		got, err := client.Call(s.Context(), s.ProxyRemoting, c)
		require.NoError(s, err)
		return got
	}
	behind := rocketmq.NewClusterBehind(app, s.ProxyRemoting)
	for topic, kind := range shopTypes {
		got := ask(app, topic, kind)
		assert.Equal(s, remoting.Success, got.Code, "%s to %s: %s", kind, topic, got.Remark)
		got = ask(app, topic, shopOther[topic])
		assert.Equal(s, remoting.MessageIllegal, got.Code, "%s to %s: %s", shopOther[topic], topic, got.Remark)
		assert.NotEqual(s, remoting.Success, ask(guest, topic, kind).Code, "the guest may not write")
		_, err := behind.TopicConfigs(s.Context(), []string{topic})
		require.NoError(s, err)
		broker, err := behind.Broker(s.Context(), s.Brokers[0].Name)
		require.NoError(s, err)
		s.wantReadable(app, broker.Addr, topic, "shop-billing")
	}
}

// programs are stock clients: in this process they would write logs at once.
type programs struct{ application, typed string }

func builtPrograms(t *testing.T) (p programs) {
	t.Helper()
	dir := t.TempDir()
	p = programs{filepath.Join(dir, "application"), filepath.Join(dir, "typed")}
	for program, from := range map[string]string{
		p.application: "./users/testdata/application", p.typed: "./testdata/typed",
	} {
		out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, from).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	return p
}

func asApp(t *testing.T, ctx context.Context, program string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(ctx, program, args...)
	c.Env = append(os.Environ(), "HOME="+t.TempDir(), "ROCKETMQ_GO_LOG_LEVEL=error",
		"ACCESS_KEY=shop-app", "SECRET_KEY="+secretOf("shop-app"))
	var errors bytes.Buffer
	c.Stderr = &errors
	out, _ := c.Output() // it fails where nothing came, and then says so
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return last
	}
	return errors.String()
}

// wantRemoting has rocketmq-client-go send and read at brokers. It doesn't name them in its requests,
// which a proxy's remoting port wants.
func (p programs) wantRemoting(s shop) {
	s.Helper()
	for _, kind := range []string{"remoting-send", "remoting-read"} {
		said := asApp(s.T, s.Context(), p.application, kind, s.NameServers[0], "shop-plain", "shop-billing", "60")
		assert.True(s, strings.HasPrefix(said, "done: "), "%s: %s", kind, said)
	}
}

// wantGRPC has the Go client of 5.x send each type and others, and read.
func (p programs) wantGRPC(s shop) {
	s.Helper()
	var sends, topics []string
	for topic, kind := range shopTypes {
		sends = append(sends, topic+"="+kind, topic+"="+shopOther[topic])
		topics = append(topics, topic)
	}
	var came map[string]string
	said := asApp(s.T, s.Context(), p.typed, "send", s.ProxyGRPC, "60", strings.Join(sends, ","))
	require.NoError(s, json.Unmarshal([]byte(said), &came), said)
	for topic, kind := range shopTypes {
		assert.Empty(s, came[topic+"="+kind], "%s to %s", kind, topic)
		assert.Contains(s, came[topic+"="+shopOther[topic]], "type", "%s to %s", shopOther[topic], topic)
	}
	if s.Spec().Version == "5.3.3" {
		return // with access control, its proxy was seen to pop nothing for super users either
	}
	stop := s.keepSending()
	said = asApp(s.T, s.Context(), p.typed, "read", s.ProxyGRPC, "60", strings.Join(topics, ","), "shop-by-grpc")
	stop()
	came = nil
	require.NoError(s, json.Unmarshal([]byte(said), &came), said)
	for topic := range shopTypes {
		assert.NotEmpty(s, came[topic], "%s was read: %v", topic, came)
	}
}

// keepSending sends all types to all brokers until it is stopped: a group without positions reads
// what comes after it has begun.
func (s shop) keepSending() (stop func()) {
	s.Helper()
	client, ended := s.as("shop-app"), make(chan struct{})
	ctx, cancel := context.WithCancel(s.Context())
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			for _, b := range s.Brokers {
				for topic, kind := range shopTypes {
					_ = s.send(client, b.Addr, topic, kind, nil) // the reader tells whether it came
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(500 * time.Millisecond):
			}
		}
	}()
	return func() { cancel(); <-ended }
}

// withKeys is one command line with an environment.
func withKeys(t *testing.T, env map[string]string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	a := newApp(
		strings.NewReader(""),
		&stdout,
		&stderr,
		func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	)
	return outcome{a.run(t.Context(), args), stdout.String(), stderr.String()}
}
