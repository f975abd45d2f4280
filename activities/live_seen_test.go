package activities

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/javaclient"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator/replica"
)

// Two brokers become one: topics that it can't show alike are refused.
func TestLiveClientsSeeTheSameQueuesOnATargetOfOneBroker(t *testing.T) {
	t.Parallel()
	r := newRig(t, "seen")
	r.seesTheSame([]string{"4.9.7"})
}

// Two brokers become two, which can show all of them.
func TestLongClientsOfAllAgesSeeTheSameQueuesOnATargetOfTwoBrokers(t *testing.T) {
	t.Parallel()
	to := labtest.OwnCluster(t, lab.ClusterSpec{
		Name:        "Target",
		Version:     "5.3.3",
		BrokerNames: []string{"broker-a", "broker-z"},
	})
	r := newRigBetween(t, labtest.Cluster(t, "4.9.7"), to, "seen-two", nil)
	r.seesTheSame([]string{"4.5.2", "4.9.7", "5.3.3"})
}

// seesTheSame moves ordered topics of all shapes, read × write × permission × brokers, and compares
// what stock clients list on both sides.
func (r *rig) seesTheSame(clients []string) {
	r.plan.Topics.Ordered = []string{r.own + "-*"}
	topics := r.topicsOfAllShapes()
	r.group("billing") // a plan without groups is refused
	sourceTable, err := r.settings.sourceTable(r.ctx, r.plan)
	require.NoError(r, err)
	var alike []string
	unlike := map[string]bool{}
	for _, topic := range topics {
		if _, ok := replica.Spread(replica.Writable(sourceTable[topic]), r.brokerNames(r.target)); ok {
			alike = append(alike, topic)
		} else {
			unlike["topic "+topic] = true
		}
	}
	r.Logf("%d topics, of which %d can't be shown alike on %d brokers", len(topics), len(unlike),
		len(r.brokers(r.target)))
	require.Equal(r, len(r.brokers(r.target)) < 2, len(unlike) > 0)

	var found api.Inventory
	r.must(NewAssess(r.settings), "Assess", r.request(), &found)
	require.Equal(r, unlike, refusedOf(found.Whole.Findings), "before anything is bought or written")
	var diff api.MetadataDiff
	r.must(NewMetadata(r.settings), "Diff", MetadataRequest{Request: r.request(), Topics: api.Some(topics...)}, &diff)
	conflicts, inline := diff.Conflicts.Inline()
	require.True(r, inline)
	require.Equal(r, unlike, refusedOf(conflicts))

	r.importAll(alike, nil, nil)
	opened := TopicsRequest{Request: r.request(), Side: api.Target, Topics: api.Some(alike...)}
	r.must(NewTraffic(r.settings), "OpenTopics", opened, nil)
	r.eventually("the target's name server shows the topics as they are", func() bool {
		for _, topic := range alike {
			if route, err := r.target.Route(r.ctx, topic); err != nil ||
				route.Queues[0].Perm != rocketmq.PermRead|rocketmq.PermWrite {
				return false
			}
		}
		return true
	})
	r.compareLists(alike, clients)
	r.fillsAll(alike)
}

func refusedOf(findings []api.Finding) map[string]bool {
	refused := map[string]bool{}
	for _, f := range findings {
		if f.Refusal {
			refused[f.Object] = true
		}
	}
	return refused
}

// sourceTable is what topics the source has.
func (s Settings) sourceTable(ctx context.Context, p plan.Plan) (clusters.TopicTable, error) {
	source, err := s.clusters().Source(p)
	if err != nil {
		return nil, err
	}
	brokers, err := source.FindBrokers(ctx)
	if err != nil {
		return nil, err
	}
	return source.TopicTable(ctx, brokers, nil)
}

func (r *rig) brokerNames(c *rocketmq.Cluster) (names []string) {
	for _, b := range r.brokers(c) {
		names = append(names, b.Name)
	}
	return names
}

// topicsOfAllShapes makes the topics on the source's two brokers, or on one of them.
func (r *rig) topicsOfAllShapes() (topics []string) {
	shapes := [][3]int{{}, {4, 4, 6}, {4, 2, 6}, {4, 0, 6}, {4, 4, 4}, {2, 1, 4}, {1, 1, 6}}
	for i, a := range shapes {
		for j, b := range shapes {
			if i+j == 0 {
				continue
			}
			topic := fmt.Sprintf("%s-%d-%d", r.own, i, j)
			topics = append(topics, topic)
			for n, s := range [][3]int{a, b} {
				if s == [3]int{} {
					continue
				}
				require.NoError(
					r,
					r.source.Client().CreateTopic(r.ctx, r.brokers(r.source)[n].Addr, rocketmq.TopicConfig{
						Name: topic, ReadQueues: s[0], WriteQueues: s[1], Perm: s[2], FilterType: "SINGLE_TAG",
					}),
				)
			}
		}
	}
	return topics
}

// compareLists asks stock clients of both sides for their lists: lane by lane they are the same.
func (r *rig) compareLists(topics, clients []string) {
	r.Helper()
	for _, version := range clients {
		here := javaclient.QueuesOf(r.T, version, r.source.NameServers()[0], "asks-"+r.own, topics...)
		there := javaclient.QueuesOf(r.T, version, r.target.NameServers()[0], "asks-"+r.own, topics...)
		hidden := 0
		for _, topic := range topics {
			pair := map[string]string{}
			for _, lane := range r.lanes(topic) {
				pair[lane.Source.String()] = lane.Target.String()
			}
			paired := func(queues []string) (all []string) {
				for _, q := range queues {
					all = append(all, pair[q])
				}
				return all
			}
			assert.Equal(r, paired(here[topic].Publish), append([]string(nil), there[topic].Publish...),
				"%s: a producer of version %s", topic, version)
			assert.Equal(r, paired(here[topic].Subscribe),
				append([]string(nil), there[topic].Subscribe...), "%s: a consumer of version %s", topic,
				version)
			assert.Len(r, here[topic].Subscribe, len(pair), topic)
			hidden += len(here[topic].Subscribe) - len(here[topic].Publish)
		}
		assert.Positive(r, hidden, "some queues aren't shown to producers of version %s", version)
	}
}

// fillsAll copies messages of all queues, also of those that producers don't see.
func (r *rig) fillsAll(topics []string) {
	r.Helper()
	const each = 3
	lanes := 0
	for _, topic := range topics {
		for _, lane := range r.lanes(topic) {
			r.produce(r.source, lane.Source.Broker, topic, lane.Source.ID, each)
			lanes++
		}
	}
	r.replicate()
	r.must(NewReplication(r.settings), "AwaitDrained",
		TopicsRequest{Request: r.request(), Side: api.Source, Topics: api.Some(topics...)}, nil)
	var verified api.Verification
	r.must(NewVerifier(r.settings), "Verify", VerifyRequest{Request: r.request(), Topics: api.Some(topics...)},
		&verified)
	assert.True(r, verified.Clean(), "%+v", verified)
	assert.EqualValues(r, lanes*each, verified.Compared)
	var found api.Inventory
	r.must(NewAssess(r.settings), "Assess", r.request(), &found)
	counted := int64(0)
	for _, topic := range found.Whole.Topics {
		counted += topic.Messages
	}
	assert.EqualValues(r, lanes*each, counted, "messages of queues that producers don't see count")
}

// A broker's own permission is in no topic's settings: only name servers show it.
func TestLongBrokersThatAreBeingTakenOutAreTold(t *testing.T) {
	t.Parallel()
	leaving := map[string]string{"brokerPermission": "4"}
	from := labtest.OwnCluster(t, lab.ClusterSpec{Name: "Source", Version: "4.9.7", Brokers: 1, Config: leaving})
	to := labtest.OwnCluster(t, lab.ClusterSpec{Name: "Target", Version: "5.3.3", Brokers: 1, Config: leaving})
	r := newRigBetween(t, from, to, "leaving", nil)
	orders := r.topic("orders", 2)
	r.group("billing")
	r.plan.Topics.Ordered = []string{orders}

	var found api.Inventory
	r.must(NewAssess(r.settings), "Assess", r.request(), &found)
	require.Equal(t, map[string]bool{"topic " + orders: true}, refusedOf(found.Whole.Findings))
	assert.Contains(t, fmt.Sprint(found.Whole.Findings), "permission 4 on broker broker-a, which has 2, 2 and 6")
	var diff api.MetadataDiff
	r.must(NewMetadata(r.settings), "Diff", MetadataRequest{Request: r.request(), Topics: api.Some(orders)}, &diff)
	conflicts, _ := diff.Conflicts.Inline()
	require.Equal(t, map[string]bool{"target broker broker-a": true}, refusedOf(conflicts))
}
