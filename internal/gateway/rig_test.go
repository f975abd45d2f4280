package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/rlog"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator"
)

func TestMain(m *testing.M) {
	if config := os.Getenv(asGateway); config != "" {
		if err := serveForTest(config); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	rlog.SetLogLevel("error")
	labtest.Main(m)
}

// patience is how long a test waits for what clients, brokers and lanes do by themselves.
const patience = 100 * time.Second

// rigTime bounds a whole test: with twenty Java clients on two cores a round of moves takes minutes.
const rigTime = 20 * time.Minute

// rig is a migration with lanes both ways and a gateway before it.
type rig struct {
	*testing.T
	ctx            context.Context
	source, target *rocketmq.Cluster
	admin          *rocketmq.Cluster // the target, where topics and groups are made
	name           string
	gateway        *Gateway
	entrance       string // the name server that clients are given
	config         Config
	lanes          []replicator.Lane
	signs          primitive.Credentials // of applications
	once           bool                  // producers don't try again by themselves
}

func newRig(t *testing.T, name string) *rig {
	t.Helper()
	return newRigBetween(t, name, labtest.Cluster(t, "4.9.7"), labtest.Cluster(t, "5.3.3"))
}

func newRigBetween(t *testing.T, name string, source, target *lab.Cluster) *rig {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), rigTime)
	t.Cleanup(cancel)
	r := &rig{T: t, ctx: ctx, name: name, source: connect(t, source, nil), target: connect(t, target, nil)}
	r.configure(source.NameServers)
	return r
}

func (r *rig) configure(source []string) {
	r.admin = r.target
	r.config = Config{
		Name: "gateway-" + r.name, Listen: "127.0.0.1", Advertise: "127.0.0.1", Dir: r.TempDir(), NameServers: source,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
}

func connect(t *testing.T, c *lab.Cluster, as *rocketmq.Credentials) *rocketmq.Cluster {
	client := rocketmq.NewClient(rocketmq.Options{Credentials: as})
	t.Cleanup(client.Close)
	return rocketmq.NewCluster(client, c.NameServers)
}

// topic makes a topic on both sides, with so many queues on each source broker, and its lanes.
func (r *rig) topic(name string, queues int) string {
	r.Helper()
	sources, targets := r.brokers(r.source), r.brokers(r.admin)
	queues = max(queues, len(targets)/len(sources)) // each target broker has one
	for _, b := range sources {
		r.make(r.source, b, name, queues)
	}
	for _, b := range targets {
		r.make(r.admin, b, name, queues*len(sources)/len(targets))
	}
	var lanes []replicator.Lane
	r.eventually("the topic's lanes are known", func() (known bool) { // proxies read routes anew every 20 s
		var err error
		lanes, err = replicator.LanesOf(r.ctx, r.source, r.target, name)
		return err == nil
	})
	r.lanes = append(r.lanes, lanes...)
	return name
}

func (r *rig) make(c *rocketmq.Cluster, b rocketmq.Broker, topic string, queues int) {
	r.Helper()
	require.NoError(r, c.Client().CreateTopic(r.ctx, b.Addr, rocketmq.TopicConfig{Name: topic, ReadQueues: queues, WriteQueues: queues, Perm: 6}))
}

// group makes a group on both sides, with its retry topic.
func (r *rig) group(name string) string {
	r.Helper()
	for _, c := range []*rocketmq.Cluster{r.source, r.admin} {
		for _, b := range r.brokers(c) {
			require.NoError(r, c.Client().PutGroup(r.ctx, b.Addr, rocketmq.Group{Name: name, ConsumeEnable: true, FromMinEnable: true, BroadcastEnable: true, RetryQueues: 1, RetryMaxTimes: 16, WhichBrokerWhenSlow: 1, NotifyChanged: true}))
		}
	}
	r.topic(rocketmq.RetryTopic(name), 1)
	return name
}

func (r *rig) brokers(c *rocketmq.Cluster) []rocketmq.Broker {
	r.Helper()
	brokers, err := c.Brokers(r.ctx)
	require.NoError(r, err)
	return brokers
}

func (r *rig) names() replicator.Names {
	return replicator.Names{Group: "rocketshift-" + r.name, Source: "S", Target: "T"}
}

// replicate runs the lanes both ways until they are stopped, at the end of the test at the latest.
func (r *rig) replicate() (end func()) {
	r.Helper()
	ctx, stop := context.WithCancel(r.ctx)
	copier := replicator.NewReplicator(r.source, r.target, replicator.Options{Names: r.names(), Holder: r.name, BothWays: true})
	ended := make(chan error, 1)
	var last replicator.Progress
	go func() { ended <- copier.Run(ctx, r.lanes, func(p replicator.Progress) { last = p }) }()
	end = sync.OnceFunc(func() {
		stop()
		require.NoError(r, <-ended)
		if r.Failed() {
			r.Logf("lanes: %+v; back: %+v", last, last.Back)
		}
	})
	r.Cleanup(end)
	return end
}

// at is the rig for clients with other name servers.
func (r *rig) at(nameServers string) *rig {
	other := *r
	other.entrance = nameServers
	return &other
}

// open starts the gateway and tells it the migration.
func (r *rig) open() *Gateway {
	r.Helper()
	g, err := Start(r.config)
	require.NoError(r, err)
	r.gateway, r.entrance = g, g.NameServer()
	r.Cleanup(g.Close)
	require.NoError(r, g.Use(r.ctx, r.migration()))
	return g
}

func (r *rig) migration() Migration {
	n := r.names()
	m := Migration{Name: r.name, LaneGroup: n.Group, Source: n.Source, Target: n.Target, Proxy: r.target.Proxy()}
	if m.Proxy == "" {
		m.NameServers = r.target.NameServers()
	}
	return m
}

var moveNumber atomic.Int64

// mostTries is how often a move is asked for.
const mostTries = 10

// move moves, and wants it done.
func (r *rig) move(m Move) Moved {
	r.Helper()
	number := moveNumber.Add(1)
	for try := 1; ; try++ { // one that isn't done has changed nothing: on a busy machine a broker may answer too late
		m.ID, m.Budget = fmt.Sprint("move-", number, "-", try), Duration(2*time.Second)
		was, err := r.gateway.Move(r.ctx, m)
		require.NoError(r, err)
		if was.Done {
			return was
		}
		require.Less(r, try, mostTries, "%+v", was)
	}
}

// eventually waits for a condition.
func (r *rig) eventually(what string, ok func() bool) {
	r.Helper()
	require.Eventually(r, ok, patience, 20*time.Millisecond, what)
}
