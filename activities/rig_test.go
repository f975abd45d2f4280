package activities

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/worker"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// patience is how long a test waits for what brokers and lanes do by themselves, on a machine that
// has other work.
const patience = 3 * time.Minute

// rig is a real source (4.9.7, two brokers) and a real target (5.3.3), with topics and groups that
// only one test uses.
type rig struct {
	*testing.T
	ctx            context.Context
	source, target *rocketmq.Cluster
	settings       Settings
	plan           plan.Plan
	own            string // what names of its topics and groups begin with
}

// newRig selects all names that start with the test's own: activities- and what it is called here.
// Tests of other packages use the same clusters.
func newRig(t *testing.T, name string) *rig {
	t.Helper()
	return newRigFrom(t, labtest.Cluster(t, "4.9.7"), name, nil)
}

// newRigFrom has another source, and other names on the target.
func newRigFrom(t *testing.T, from *lab.Cluster, name string, rename *plan.Rename) *rig {
	t.Helper()
	return newRigBetween(t, from, labtest.Cluster(t, "5.3.3"), name, rename)
}

// newRigBetween has another target too.
func newRigBetween(t *testing.T, from, to *lab.Cluster, name string, rename *plan.Rename) *rig {
	t.Helper()
	name = "activities-" + name
	only := plan.Selection{Include: []string{name + "-*"}}
	r := &rig{
		T:        t,
		ctx:      t.Context(),
		settings: Settings{Root: t.TempDir(), Clusters: connect.NewPool()}.withDefaults(),
		own:      name,
	}
	r.plan = plan.Plan{
		Name: name, Source: plan.Cluster{NameServers: from.NameServers},
		Target: plan.Target{Provider: plan.ProviderExisting, NameServers: to.NameServers, Rename: rename},
		Topics: plan.TopicSelection{Selection: only}, Groups: only,
		Shift: plan.Shift{
			Settle: plan.Duration(time.Second), Soak: plan.Duration(time.Second),
		},
		Replicate: plan.Replicate{SyncInterval: plan.Duration(time.Second)},
	}.WithDefaults()
	require.NoError(t, r.plan.Validate())
	t.Cleanup(r.settings.Clusters.Close)
	var err error
	r.source, err = r.settings.withDefaults().
		clusters().
		Open(api.Source, connect.Place{Addresses: from.NameServers}, nil,
			rocketmq.Renames{})
	require.NoError(t, err)
	r.target, err = r.settings.withDefaults().clusters().Open(api.Target, connect.Place{Addresses: to.NameServers}, nil,
		clusters.Renames(r.plan.Target))
	require.NoError(t, err)
	return r
}

func (r *rig) brokers(c *rocketmq.Cluster) []rocketmq.Broker {
	r.Helper()
	found, err := c.Brokers(r.ctx)
	require.NoError(r, err)
	return found
}

// topic creates a topic of the source, with some queues on each broker.
func (r *rig) topic(name string, queues int) string {
	r.Helper()
	name = r.own + "-" + name
	for _, b := range r.brokers(r.source) {
		require.NoError(r, r.source.Client().CreateTopic(r.ctx, b.Addr, rocketmq.TopicConfig{
			Name: name, ReadQueues: queues, WriteQueues: queues, Perm: 6, FilterType: "SINGLE_TAG",
		}))
	}
	return name
}

// group creates a group of the source.
func (r *rig) group(name string) string {
	r.Helper()
	name = r.own + "-" + name
	for _, b := range r.brokers(r.source) {
		require.NoError(r, r.source.Client().PutGroup(r.ctx, b.Addr, rocketmq.Group{
			Name: name, ConsumeEnable: true, FromMinEnable: true, BroadcastEnable: true, RetryQueues: 1,
			RetryMaxTimes: 5, WhichBrokerWhenSlow: 1, NotifyChanged: true,
		}))
	}
	return name
}

// produce writes n messages to a queue, as producers do.
func (r *rig) produce(c *rocketmq.Cluster, broker, topic string, queue, n int, properties ...remoting.Property) {
	r.Helper()
	for i := range n {
		_, err := c.Client().SendMessage(r.ctx, r.addr(c, broker), rocketmq.SendRequest{
			Group: "producers", Topic: topic, Queue: queue, BornTimestamp: time.Now().UnixMilli(),
			Body:       fmt.Appendf(nil, "%s %s/%d %d %d", topic, broker, queue, i, time.Now().UnixNano()),
			Properties: remoting.EncodeProperties(properties),
		})
		require.NoError(r, err)
	}
}

// keepProducing writes to a queue at once, and then ten times a second until stop.
func (r *rig) keepProducing(c *rocketmq.Cluster, q lane.Queue, topic string) (stop func()) {
	r.Helper()
	r.produce(c, q.Broker, topic, q.ID, 1)
	stopping, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stopping:
				return
			case <-time.After(100 * time.Millisecond):
				r.produce(c, q.Broker, topic, q.ID, 1)
			}
		}
	}()
	return func() { close(stopping); <-done }
}

// fill writes n messages to every queue of the source's topic.
func (r *rig) fill(topic string, n int) {
	r.Helper()
	for _, b := range r.brokers(r.source) {
		configs, err := r.source.Client().TopicConfigs(r.ctx, b.Addr)
		require.NoError(r, err)
		for queue := range configs[topic].WriteQueues {
			r.produce(r.source, b.Name, topic, queue, n)
		}
	}
}

func (r *rig) addr(c *rocketmq.Cluster, broker string) string {
	r.Helper()
	found, err := c.Broker(r.ctx, broker)
	require.NoError(r, err)
	return found.Addr
}

// commit stores a position of a group, as consumers do.
func (r *rig) commit(group, topic string, q lane.Queue, at int64) {
	r.Helper()
	require.NoError(r, r.source.Client().UpdateOffset(r.ctx, r.addr(r.source, q.Broker), group, topic, q.ID, at))
}

// position reads a position of a group; -1 stands for none.
func (r *rig) position(c *rocketmq.Cluster, group, topic string, q lane.Queue) int64 {
	r.Helper()
	at, known, err := c.Client().QueryOffset(r.ctx, r.addr(c, q.Broker), group, topic, q.ID)
	require.NoError(r, err)
	if !known {
		return -1
	}
	return at
}

func (r *rig) lanes(topic string) []lane.Lane {
	r.Helper()
	lanes, err := replica.LanesOf(r.ctx, r.source, r.target, topic)
	require.NoError(r, err)
	return lanes
}

func (r *rig) request() Request { return Request{Plan: r.plan} }

func (r *rig) groups(side api.Side, names ...string) GroupsRequest {
	return GroupsRequest{Request: r.request(), Side: side, Groups: api.Some(names...)}
}

// must runs an activity until it is ready, as Temporal would.
func (r *rig) must(concern any, name string, request, result any) {
	r.Helper()
	until := time.Now().Add(patience)
	var beat any
	for {
		err := askAgain(r.T, concern, name, request, result, &beat)
		if err == nil {
			return
		}
		if typeOf(err) != NotReadyType || time.Now().After(until) {
			require.NoError(r, err, "activity %s", name)
		}
	}
}

// importAll makes the topics and groups on the target.
func (r *rig) importAll(topics, groups []string, types map[string]plan.MessageType, ordered ...string) MetadataResult {
	r.Helper()
	var made MetadataResult
	r.must(NewMetadata(r.settings), "Apply", MetadataRequest{
		Request: r.request(), Topics: api.Some(topics...), Groups: api.Some(groups...), Types: types, Ordered: ordered,
	}, &made)
	return made
}

// background runs a long activity until the end of the test, or until stop, which returns how it
// ended.
func (r *rig) background(concern any, name string, request any) (stop func() error) {
	r.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	env := newEnvironment()
	env.SetTestTimeout(time.Hour) // longer than any test
	env.SetWorkerOptions(worker.Options{BackgroundActivityContext: ctx})
	env.RegisterActivity(concern)
	go func() {
		_, err := env.ExecuteActivity(name, request)
		if ctx.Err() == nil {
			r.Logf("%s ended by itself: %v", name, err)
		}
		ended <- err
	}()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(patience):
			return fmt.Errorf("%s didn't end within %s of its cancellation", name, patience)
		}
	}
	r.Cleanup(func() { _ = stop() })
	return stop
}

// replicate runs the lanes of every source broker until the end of the test, or until stop.
func (r *rig) replicate() (stop func()) {
	r.Helper()
	var stops []func() error
	for _, b := range r.brokers(r.source) {
		stops = append(
			stops,
			r.background(NewReplication(r.settings), "Replicate",
				ReplicateRequest{Request: r.request(), Broker: b.Name}),
		)
	}
	return func() {
		for _, stop := range stops {
			require.Error(r, stop(), "Replicate ends as cancelled")
		}
	}
}

// copied makes a topic with n messages in each of 4 queues and a group, on both sides, with lanes
// that have copied everything.
func (r *rig) copied(topic, group string, n int) (string, string) {
	r.Helper()
	topic, group = r.topic(topic, 2), r.group(group)
	r.fill(topic, n)
	r.importAll([]string{topic}, []string{group}, nil)
	r.replicate()
	r.must(NewReplication(r.settings), "AwaitDrained",
		TopicsRequest{Request: r.request(), Side: api.Source, Topics: api.Some(topic)}, nil)
	return topic, group
}

// eventually waits for a condition; what says what is missing.
func (r *rig) eventually(what string, ok func() bool) {
	r.Helper()
	require.Eventually(r, ok, patience, 200*time.Millisecond, what)
}
