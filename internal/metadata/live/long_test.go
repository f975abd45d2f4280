package live_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/metadata"
	"rocketshift/internal/metadata/live"
	"rocketshift/internal/metadata/script"
	"rocketshift/internal/metadata/sheet"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

func TestMain(m *testing.M) { labtest.Main(m) }

func ref[T any](v T) *T { return &v }

func export(t *testing.T, c *lab.Cluster) (metadata.Cluster, string) {
	t.Helper()
	client := rocketmq.NewClient(rocketmq.Options{})
	defer client.Close()
	r := live.Reader{Cluster: rocketmq.NewCluster(client, c.NameServers), Namespaces: []string{"NS"}}
	got, gaps, err := r.Read(t.Context())
	require.NoError(t, err)
	return got, fmt.Sprint(gaps)
}

func fill(t *testing.T, c *lab.Cluster, client *rocketmq.Client) {
	t.Helper()
	ctx := t.Context()
	for i, b := range c.Brokers {
		for _, topic := range []rocketmq.TopicConfig{
			{Name: "export-plain", ReadQueues: 8, WriteQueues: 8, Perm: 6},
			{Name: "export-orders", ReadQueues: 4 + 2*i, WriteQueues: 4 - 2*i, Perm: 6 - 2*i, Order: true, SysFlag: 3},
		} {
			require.NoError(t, client.CreateTopic(ctx, b.Addr, topic))
		}
		g := rocketmq.NewGroup("export-group")
		g.RetryQueues, g.RetryMaxTimes, g.BroadcastEnable, g.NotifyChanged = 2, 3, false, false
		require.NoError(t, client.PutGroup(ctx, b.Addr, g))
	}
	require.NoError(t, client.PutGroup(ctx, c.Brokers[0].Addr, rocketmq.NewGroup("export-one-broker")))
	require.NoError(t, client.UpdateOffset(ctx, c.Brokers[0].Addr, "export-one-broker", "export-plain", 0, 0))
	require.NoError(
		t,
		client.PutKV(ctx, c.NameServers[0], metadata.OrderNamespace, "export-orders", "broker-a:4;broker-b:2"),
	)
	require.NoError(t, client.PutKV(ctx, c.NameServers[0], "NS", "key", `it's "$HOME" & more`))
	_, err := client.Call(ctx, c.Brokers[1].Addr, &remoting.Command{Code: remoting.CodeHeartbeat, Body: []byte(
		`{"clientID":"member@1","producerDataSet":[],"consumerDataSet":[{"groupName":"export-group",` +
			`"consumeType":"CONSUME_PASSIVELY","messageModel":"CLUSTERING","consumeFromWhere":"CONSUME_FROM_LAST_OFFSET",` +
			`"unitMode":false,"subscriptionDataSet":[{"topic":"export-plain","subString":"a || b","expressionType":"TAG",` +
			`"tagsSet":["a","b"],"codeSet":[97,98],"subVersion":1,"classFilterMode":false}]}]}`)})
	require.NoError(t, err)
}

// awaitOrder waits until brokers have heard of the order configuration: name servers tell them when
// they register, and then they set the topic's order flag.
func awaitOrder(t *testing.T, c *lab.Cluster, client *rocketmq.Client) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, b := range c.Brokers {
			configs, err := client.TopicConfigs(t.Context(), b.Addr)
			if err != nil || !configs["export-orders"].Order {
				return false
			}
		}
		return true
	}, 2*time.Minute, time.Second, "the brokers have not heard of the order configuration")
}

// TestLongAnExportComesBackFromEachForm reads a 4.9.7 cluster of two brokers, and brings what it has, with
// types and retry policies that a person added, to one of 5.3.3 by the script and its real mqadmin.
func TestLongAnExportComesBackFromEachForm(t *testing.T) {
	source := labtest.OwnCluster(t, lab.ClusterSpec{Version: "4.9.7", Brokers: 2})
	client := rocketmq.NewClient(rocketmq.Options{})
	defer client.Close()
	fill(t, source, client)
	awaitOrder(t, source, client)
	c, told := export(t, source)
	again, _ := export(t, source)
	first, err := c.YAML()
	require.NoError(t, err)
	second, err := again.YAML()
	require.NoError(t, err)
	require.Equal(t, string(first), string(second), "two exports of the same state are the same bytes")
	t.Logf("%s\n%s", first, told)
	require.Equal(
		t,
		[]metadata.Queues{
			{Broker: "broker-a", Read: 4, Write: 4, Perm: 6},
			{Broker: "broker-b", Read: 6, Write: 2, Perm: 4},
		},
		c.Topics[0].Queues,
	)
	require.Equal(t, []string{"broker-a"}, c.Groups[1].Brokers)
	require.Equal(t, []metadata.Subscription{
		{Group: "export-group", Topic: "export-plain", Type: "TAG", Expression: "a || b", Seen: metadata.SeenMembers},
		{Group: "export-one-broker", Topic: "export-plain", Seen: metadata.SeenPositions},
	}, c.Subscriptions)
	require.Contains(t, told, "filters of subscriptions: no member of the group was connected and asked for the topic "+
		"(export-one-broker export-plain)")

	c.Topics[0].Type, c.Topics[1].Type = "FIFO", "NORMAL"
	c.Groups[0].Orderly, c.Groups[0].Retry.Policy = ref(true), metadata.RetryDefault
	c.Groups[1].Orderly = ref(false)
	c.Groups[1].Retry.Policy = metadata.RetryDefault
	throughSheets(t, c)
	c.Groups[0].Retry.Policy, c.Groups[0].Retry.Initial = metadata.RetryExponential, ref(int64(1000))
	c.Groups[0].Retry.Max, c.Groups[0].Retry.Multiplier = ref(int64(60_000)), ref(int64(3))
	throughScript(t, c)
}

func throughSheets(t *testing.T, c metadata.Cluster) {
	t.Helper()
	var parts []metadata.Cluster
	for _, kind := range []sheet.Kind{sheet.Topics, sheet.Groups} {
		var text bytes.Buffer
		_, err := sheet.Writer{Kind: kind}.Write(&text, c)
		require.NoError(t, err)
		back, _, err := sheet.Parse(string(kind)+".xlsx", text.Bytes())
		require.NoError(t, err)
		parts = append(parts, back)
	}
	back, _ := metadata.Join(parts...)
	require.Len(t, back.Topics, len(c.Topics))
	require.Len(t, back.Groups, len(c.Groups))
	require.Empty(t, metadata.Diff(c, back, metadata.Comparison{OnlyKnown: true}).List)
}

func throughScript(t *testing.T, c metadata.Cluster) {
	t.Helper()
	var text bytes.Buffer
	gaps, err := script.Writer{}.Write(&text, c)
	require.NoError(t, err)
	require.Equal(t, "[subscriptions: mqadmin makes none: members bring theirs]", fmt.Sprint(gaps))
	target := labtest.OwnCluster(t, lab.ClusterSpec{Version: "5.3.3", Brokers: 2})
	file := filepath.Join(t.TempDir(), "bring.sh")
	require.NoError(t, os.WriteFile(file, text.Bytes(), 0o755))
	program := labtest.MQAdminProgram(t, "5.3.3")
	var out []byte
	for range 4 { // on a busy machine a broker may answer mqadmin too late: it is run again, as it says
		run := exec.CommandContext(t.Context(), "sh", file, target.NameServers[0])
		run.Env = append(os.Environ(), "MQADMIN="+program)
		if out, err = run.CombinedOutput(); err == nil {
			break
		}
	}
	require.NoError(t, err, string(out))
	back, _ := export(t, target)
	var differ []string
	for _, d := range metadata.Diff(c, back, metadata.Comparison{OnlyKnown: true}).List {
		differ = append(differ, d.Object+" "+d.Field)
	}
	require.Equal(t, []string{"broker broker-a version", "broker broker-b version"}, differ, string(out))
}

// With access control brokers tell users, and what they tell has no secret in the model.
func TestLongUsersOfBothKindsOfAccessControlAreExported(t *testing.T) {
	admin := &lab.Account{AccessKey: "root-of-cluster", SecretKey: "never-to-be-shown"}
	for _, version := range []string{"4.9.7", "5.3.3"} {
		c := labtest.OwnCluster(t, lab.ClusterSpec{Name: "Guarded", Version: version, Admin: admin})
		client := rocketmq.NewClient(rocketmq.Options{
			Credentials: &remoting.Credentials{AccessKey: admin.AccessKey, SecretKey: admin.SecretKey},
		})
		got, gaps, err := live.Reader{Cluster: rocketmq.NewCluster(client, c.NameServers)}.Read(t.Context())
		client.Close()
		require.NoError(t, err, version)
		require.Len(t, got.Users, 1, "%s: %v", version, gaps)
		require.Equal(t, "root-of-cluster super", got.Users[0].Name+" "+string(got.Users[0].Type), version)
		text, err := got.YAML()
		require.NoError(t, err)
		require.NotContains(t, string(text)+fmt.Sprint(gaps), "never-to-be-shown", version)
		require.Contains(t, fmt.Sprint(gaps), "secrets of users: ", version)
	}
}
