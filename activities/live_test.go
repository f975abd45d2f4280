package activities

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters/ledger"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

func TestLiveAssessTakesTheInventory(t *testing.T) {
	r := newRig(t, "assess")
	orders, clicks, timers := r.topic("orders", 2), r.topic("clicks", 1), r.topic("timers", 1)
	group := r.group("billing")
	broker := r.brokers(r.source)[0].Name
	r.fill(orders, 3)
	r.produce(r.source, broker, clicks, 0, 2)
	r.produce(r.source, broker, clicks, 0, 1, remoting.Property{Name: "__SHARDINGKEY", Value: "k"})
	r.produce(r.source, broker, timers, 0, 1, remoting.Property{Name: "DELAY", Value: "1"})
	r.commit(group, orders, lane.Queue{Broker: broker}, 1)
	r.plan.Topics.Ordered = []string{"activities-assess-t*"}
	var a api.Assessment
	r.eventually("the delayed message is delivered and sampled", func() bool {
		r.must(NewAssess(r.settings), "Assess", r.request(), &a)
		require.Len(t, a.Topics, 3)
		return a.Topics[2].Messages == 1
	})
	assert.Equal(t,
		api.Topic{Name: orders, Queues: 4, Messages: 12, Type: plan.TypeNormal, Readers: []string{group}},
		a.Topics[1])
	assert.Equal(t, plan.TypeMixed, a.Topics[0].Type, "plain and sharded messages")
	assert.Equal(t, plan.TypeDelay, a.Topics[2].Type)
	assert.True(t, a.Topics[2].Ordered, "the plan says so")
	assert.Equal(t, []api.Group{{Name: group, Topics: []string{orders}}}, a.Groups)
	assert.Len(t, a.SourceBrokers, 2)
	assert.Equal(t, "4.9.7", a.SourceVersion)
	own := ownFindings(a.Findings)
	require.Len(t, own, 1, "%v", a.Findings)
	assert.Equal(t, "types-mixed", own[0].ID)
}

func TestLiveAssessRefusesWhatCannotWork(t *testing.T) {
	r := newRig(t, "refuse")
	r.topic("orders", 1)
	r.group("billing")
	r.plan.Topics.Include = append(r.plan.Topics.Include, "activities-refuse-ordrs")
	r.plan.Target.NameServers = r.plan.Source.NameServers // as reached by another name, which Validate can't see
	var a api.Assessment
	r.must(NewAssess(r.settings), "Assess", r.request(), &a)
	require.GreaterOrEqual(t, a.Refusals(), 2)
	var said string
	for _, f := range a.Findings {
		said += f.Object + ": " + f.Cause + "\n"
	}
	assert.Contains(t, said, "topics.include[1]")
	assert.Contains(t, said, "same cluster")
}

func TestLiveMetadataIsImportedOnceAndReadBack(t *testing.T) {
	r := newRig(t, "import")
	orders, clicks := r.topic("orders", 3), r.topic("clicks", 2)
	group := r.group("billing")
	all := MetadataRequest{
		Request: r.request(), Topics: api.Some(clicks, orders), Groups: api.Some(group),
		Types: map[string]plan.MessageType{orders: plan.TypeFIFO}, Ordered: []string{orders},
	}
	var diff api.MetadataDiff
	r.must(NewMetadata(r.settings), "Diff", all, &diff)
	assert.Equal(t, api.MetadataDiff{CreateTopics: api.Some(clicks, orders), CreateGroups: api.Some(group)}, diff)

	made := r.importAll(all.Topics.First(), all.Groups.First(), all.Types, orders)
	assert.Equal(t, MetadataResult{CreatedTopics: 2, CreatedGroups: 1}, made)
	target := r.brokers(r.target)[0]
	configs, err := r.target.Client().TopicConfigs(t.Context(), target.Addr)
	require.NoError(t, err)
	assert.Equal(t, 6, configs[orders].WriteQueues, "3 on each of 2 source brokers")
	assert.Equal(t, rocketmq.PermRead, configs[orders].Perm, "ordered topics open after their drain")
	assert.Equal(t, plan.TypeFIFO, metadata.MessageType(configs[orders]))
	assert.Equal(t, rocketmq.PermRead|rocketmq.PermWrite, configs[clicks].Perm)
	groups, err := r.target.Client().Groups(t.Context(), target.Addr)
	require.NoError(t, err)
	assert.False(t, groups[group].ConsumeEnable, "closed until its positions are written")
	assert.Equal(t, 5, groups[group].RetryMaxTimes)

	assert.Equal(t, MetadataResult{}, r.importAll(all.Topics.First(), all.Groups.First(), all.Types, orders),
		"a repeated import creates nothing")
	var again api.MetadataDiff
	r.must(NewMetadata(r.settings), "Diff", all, &again)
	assert.Equal(t, api.MetadataDiff{Same: 3}, again)
}

func TestLiveTopicWithFewerQueuesIsAConflictAndStaysAsItIs(t *testing.T) {
	r := newRig(t, "conflict")
	orders := r.topic("orders", 4)
	target := r.brokers(r.target)[0]
	require.NoError(t, r.target.Client().CreateTopic(t.Context(), target.Addr, rocketmq.TopicConfig{
		Name: orders, ReadQueues: 2, WriteQueues: 2, Perm: 6, FilterType: "SINGLE_TAG",
	}))
	request := MetadataRequest{Request: r.request(), Topics: api.Some(orders)}
	var diff api.MetadataDiff
	r.must(NewMetadata(r.settings), "Diff", request, &diff)
	require.Equal(t, 1, diff.Conflicts.Len())
	assert.Contains(t, diff.Conflicts.First()[0].Cause,
		"the source has 8 queues (broker-a 4, broker-b 4) and the target 2 (broker-a 2)")
	assert.Equal(t, ConflictType, typeOf(ask(t, NewMetadata(r.settings), "Apply", request, nil)))
	configs, err := r.target.Client().TopicConfigs(t.Context(), target.Addr)
	require.NoError(t, err)
	assert.Equal(t, 2, configs[orders].WriteQueues)
}

func TestLiveFenceClosesAGroupOnEveryBrokerAndOpensItAgain(t *testing.T) {
	r := newRig(t, "fence")
	orders, group := r.topic("orders", 1), r.group("billing")
	r.fill(orders, 1)
	pull := func(b rocketmq.Broker) int {
		_, err := r.source.Client().Pull(t.Context(), b.Addr, rocketmq.PullRequest{Group: group, Topic: orders, Max: 1})
		return remoting.CodeOf(err)
	}
	for range 2 { // the second call finds nothing to do
		r.must(NewTraffic(r.settings), "Fence", r.groups(api.Source, group), nil)
	}
	for _, b := range r.brokers(r.source) {
		assert.Equal(t, remoting.NoPermission, pull(b), "broker %s serves a closed group", b.Name)
	}
	var survey Survey
	r.importAll([]string{orders}, []string{group}, nil)
	r.must(NewReturns(r.settings), "Survey", r.request(), &survey)
	assert.Equal(t, Survey{FencedGroups: api.Some(group)}, survey)

	r.must(NewTraffic(r.settings), "Unfence", r.groups(api.Source, group), nil)
	for _, b := range r.brokers(r.source) {
		assert.Equal(t, -1, pull(b), "broker %s refuses an open group", b.Name)
	}
	groups, err := r.source.Client().Groups(t.Context(), r.brokers(r.source)[0].Addr)
	require.NoError(t, err)
	assert.Equal(t, 5, groups[group].RetryMaxTimes, "other settings stay")
	assert.Equal(t, RefusedType,
		typeOf(ask(t, NewTraffic(r.settings), "Fence", r.groups(api.Source, "activities-fence-nobody"), nil)))
}

func TestLiveTopicsCloseAndOpenWithTheirAttributes(t *testing.T) {
	r := newRig(t, "perm")
	orders := r.topic("orders", 1)
	r.importAll([]string{orders}, nil, map[string]plan.MessageType{orders: plan.TypeFIFO}, orders)
	target := r.brokers(r.target)[0]
	for _, c := range []struct {
		activity string
		perm     int
	}{{"OpenTopics", 6}, {"OpenTopics", 6}, {"CloseTopics", 4}} {
		r.must(NewTraffic(r.settings), c.activity,
			TopicsRequest{Request: r.request(), Side: api.Target, Topics: api.Some(orders)}, nil)
		configs, err := r.target.Client().TopicConfigs(t.Context(), target.Addr)
		require.NoError(t, err)
		assert.Equal(t, c.perm, configs[orders].Perm)
		assert.Equal(t, plan.TypeFIFO, metadata.MessageType(configs[orders]), "the type stays")
	}
}

func TestLiveLedgerListsWhatIsUnfinished(t *testing.T) {
	r := newRig(t, "ledger")
	orders, group := r.topic("orders", 1), r.group("billing")
	broker := r.brokers(r.source)[0]
	r.importAll([]string{orders}, []string{group}, nil)
	r.fill(orders, 5)
	for _, topic := range []string{rocketmq.RetryTopic(group), rocketmq.DLQTopic(group)} {
		require.NoError(
			t,
			r.source.Client().
				CreateTopic(t.Context(), broker.Addr, rocketmq.TopicConfig{Name: topic, ReadQueues: 1, WriteQueues: 1, Perm: 6, FilterType: "SINGLE_TAG"}),
		)
		r.produce(r.source, broker.Name, topic, 0, 3)
	}
	r.commit(group, rocketmq.RetryTopic(group), lane.Queue{Broker: broker.Name}, 1)
	rest := func(kind, object string) int64 {
		var l api.Ledger
		r.must(NewLedgers(r.settings), "Ledger", r.request(), &l)
		for _, row := range l.Rows.First() {
			if row.Kind == kind && row.Object == object {
				return row.Rest
			}
		}
		return 0
	}
	// of all its topics, other tests' among them
	waiting, half := "broker "+broker.Name+" level 18", "broker "+broker.Name
	waited := rest(ledger.KindDelayed, waiting)
	r.produce(r.source, broker.Name, orders, 0, 2, remoting.Property{Name: "DELAY", Value: "18"})
	_, err := r.source.Client().SendMessage(t.Context(), broker.Addr, rocketmq.SendRequest{
		Group: "producers", Topic: orders, SysFlag: 4, Body: []byte("half"), BornTimestamp: time.Now().UnixMilli(),
		Properties: remoting.EncodeProperties(
			[]remoting.Property{
				{Name: "TRAN_MSG", Value: "true"},
				{Name: "PGROUP", Value: "producers"},
				{Name: "UNIQ_KEY", Value: "u"},
			},
		),
	})
	require.NoError(t, err)
	assert.EqualValues(t, 10, rest(ledger.KindLag, "topic "+orders),
		"nothing is copied yet, delayed messages aren't there yet")
	assert.EqualValues(t, 2, rest(ledger.KindRetry, "group "+group), "3, of which 1 is consumed")
	assert.EqualValues(t, 3, rest(ledger.KindDead, "group "+group))
	r.eventually("two more messages wait at level 18",
		func() bool { return rest(ledger.KindDelayed, waiting) >= waited+2 })
	r.eventually("a half message is open", func() bool { return rest(ledger.KindHalf, half) >= 1 })
	assert.Zero(t, rest(ledger.KindConsumers, "all"))
	r.replicate()
	r.eventually("the lanes copy everything",
		func() bool { return rest(ledger.KindLag, "all") == 0 && rest(ledger.KindLag, "topic "+orders) == 0 })
}

// ownFindings are those of topics and groups: what is found of brokers depends on tests that share
// them.
func ownFindings(all []api.Finding) []api.Finding {
	return slices.DeleteFunc(slices.Clone(all), func(f api.Finding) bool {
		return !strings.HasPrefix(f.Object, "topic ") && !strings.HasPrefix(f.Object, "group ")
	})
}
