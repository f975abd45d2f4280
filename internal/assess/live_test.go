package assess

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"rocketshift/api"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/javaclient"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// source is a cluster that a test fills with what it wants to be found.
type source struct {
	*testing.T
	client *rocketmq.Client
	at     rocketmq.Broker
	names  []string
}

func sourceOn(t *testing.T, c *lab.Cluster) source {
	t.Helper()
	client := rocketmq.NewClient(rocketmq.Options{})
	t.Cleanup(client.Close)
	brokers, err := rocketmq.NewCluster(client, c.NameServers).Brokers(t.Context())
	require.NoError(t, err)
	return source{t, client, brokers[0], c.NameServers}
}

func (s source) topic(name string) {
	s.Helper()
	require.NoError(s, s.client.CreateTopic(s.Context(), s.at.Addr, rocketmq.TopicConfig{
		Name: name, ReadQueues: 1, WriteQueues: 1, Perm: 6, FilterType: "SINGLE_TAG",
	}))
}

// send stores a message as a batch of one: brokers act on none of its properties.
func (s source) send(topic, body string, pairs ...string) {
	s.Helper()
	_, err := s.client.SendBatch(s.Context(), s.at.Addr, rocketmq.BatchRequest{
		Group: "makers", Topic: topic, BornTimestamp: time.Now().UnixMilli(),
		Messages: []rocketmq.BatchMessage{{Body: []byte(body), Properties: properties(pairs)}},
	})
	require.NoError(s, err)
}

func properties(pairs []string) []byte {
	var all []remoting.Property
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, remoting.Property{Name: pairs[i], Value: pairs[i+1]})
	}
	return remoting.EncodeProperties(all)
}

// member starts a stock member of a group, until the test ends.
func (s source) member(group, instance, topic, tags string, more ...consumer.Option) {
	s.Helper()
	options := append([]consumer.Option{
		consumer.WithGroupName(group), consumer.WithInstance(instance),
		consumer.WithNsResolver(primitive.NewPassthroughResolver(slices.Clone(s.names))), // which it changes
	}, more...)
	c, err := consumer.NewPushConsumer(options...)
	require.NoError(s, err)
	require.NoError(s, c.Subscribe(topic, consumer.MessageSelector{Type: consumer.TAG, Expression: tags},
		func(context.Context, ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
			return consumer.ConsumeSuccess, nil
		}))
	require.NoError(s, c.Start())
	s.Cleanup(func() { _ = c.Shutdown() })
}

func (s source) assessed(change func(*plan.Plan)) (api.Assessment, Report) {
	s.Helper()
	p, err := Flags{From: s.names}.Plan()
	require.NoError(s, err)
	change(&p)
	run, err := New(p, Flags{}, func(string) (string, bool) { return "", false }, s.TempDir())
	require.NoError(s, err)
	defer run.Close()
	found, report, err := run.Assess(s.Context(), time.Now, func(string) {})
	require.NoError(s, err)
	return found, report
}

func idsOf(r Report) map[string]string {
	ids := map[string]string{}
	for _, f := range r.Findings {
		ids[f.ID] = f.Object + ": " + f.Cause
	}
	return ids
}

// wrong makes a source on which everything is found, and towards which target.
func wrong(t *testing.T) (source, *lab.Cluster) {
	s := sourceOn(t, labtest.OwnCluster(t, lab.ClusterSpec{
		Version: "4.9.7", BrokerNames: []string{"broker-wrong"}, Config: map[string]string{"messageDelayLevel": "1s 5s 40d"},
	}))
	target := labtest.OwnCluster(t, lab.ClusterSpec{
		Version: "5.3.3", BrokerNames: []string{"broker-target"}, Config: map[string]string{"transactionTimeOut": "3000"},
	})
	long := strings.Repeat("n", 61)
	for _, name := range []string{"mixed", "gokeys", "empty", "full", "late", "paid", "read", long} {
		s.topic(name)
	}
	s.send("mixed", "x", "UNIQ_KEY", "m1")
	s.send("mixed", "x", "UNIQ_KEY", "m2", "DELAY", "1")
	s.send("gokeys", "x", "SHARDING_KEY", "k")
	s.send("empty", "")
	s.send("full", "x", "long", strings.Repeat("x", remoting.MaxProperties-10))
	s.send("late", "x", "TIMER_DELIVER_MS", "99999999999999")
	s.send("paid", "x", "TRAN_MSG", "true", "PGROUP", "tills")
	_, err := s.client.SendMessage(t.Context(), s.at.Addr, rocketmq.SendRequest{
		Group: "makers", Topic: "read", BornTimestamp: time.Now().UnixMilli(), Body: []byte("x"),
		Properties: properties([]string{"DELAY", "3"}),
	})
	require.NoError(t, err)
	s.member("halves", "one", "read", "*", consumer.WithConsumerOrder(true))
	s.member("halves", "two", "read", "a || b")
	s.member("everyone", "three", "read", "*", consumer.WithConsumerModel(consumer.BroadCasting),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromTimestamp))
	s.traced("4.4.0")
	return s, target
}

// traced starts a stock producer of a version that writes traces of what it sends.
func (s source) traced(version string) {
	s.Helper()
	s.topic("traced")
	javaclient.Producer{
		Version: version, NameServer: s.names[0], Topic: "traced", Group: "traced", Instance: "traced",
		Kind: javaclient.Traced, Prefix: "traced", Keys: 1, Pause: time.Second,
		Acked:  func(string, int, time.Duration) {},
		Failed: func(_ string, _ int, why string) { s.Log("the producer with traces: ", why) },
	}.Start(s)
}

// Every condition that areas of messages, members and names look for is there on one source, and
// none of them on another.
func TestLongEachConditionIsFoundAndNoneOnACleanCluster(t *testing.T) {
	s, target := wrong(t)
	wanted := []string{
		"types-mixed", "order-without-key", "empty-body", "properties-too-long", "delay-beyond-limit", "delays-pending",
		"transactions", "transaction-timeout", "group-mixes-order", "subscriptions-differ", "from-timestamp",
		"group-broadcasts", "sdk-feature", "name-managed", "client-trace",
	}
	var ids map[string]string
	var report Report
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		_, report = s.assessed(func(p *plan.Plan) {
			p.Target = plan.Target{Provider: plan.ProviderExisting, NameServers: target.NameServers}
		})
		ids = idsOf(report)
		for _, id := range wanted {
			assert.Contains(c, ids, id)
		}
	}, 2*time.Minute, time.Second, "members need a while until brokers know them")
	for _, f := range report.Findings {
		assert.NotEmpty(t, f.Why, "%+v", f)
		assert.NotEmpty(t, f.Next, "%+v", f)
	}
	assert.Equal(t, 7, report.ExitCode)
	assert.Contains(t, ids["delay-beyond-limit"], "2h0m0s")

	clean := sourceOn(t, labtest.Cluster(t, "4.9.7"))
	clean.topic("assess-clean")
	clean.send("assess-clean", "x", "UNIQ_KEY", "m1")
	var cleanPlan plan.Plan
	found, report := clean.assessed(func(p *plan.Plan) {
		p.Topics.Include, p.Groups.Include = []string{"assess-clean"}, []string{}
		cleanPlan = *p
	})
	ids = idsOf(report)
	for _, id := range append(wanted, "client-http", "client-too-old", "rename-map") {
		assert.NotContains(t, ids, id)
	}
	assert.Zero(t, report.ExitCode, "%v", ids)
	written := PlanFile(Fitted(cleanPlan, found), report)
	asJSON, err := yaml.YAMLToJSONStrict([]byte(written))
	require.NoError(t, err)
	read, err := plan.Parse(asJSON)
	require.NoError(t, err, written)
	_, report = clean.assessed(func(p *plan.Plan) {
		read.Topics, read.Groups = p.Topics, p.Groups // of the shared cluster, this test's own
		*p = read
		p.Topics.Include, p.Groups.Include = []string{"assess-clean"}, []string{}
	})
	assert.Zero(t, report.Refusals, "a plan that is written for a clean source isn't refused: %v", idsOf(report))
	require.NotNil(t, found.Recommended)
	assert.Equal(t, plan.TypeNormal, found.Recommended.Topics[0].Type)
}
