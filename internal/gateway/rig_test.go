package gateway

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/rlog"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/keeper"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/sleep"
	"rocketshift/replicator"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

func TestMain(m *testing.M) {
	if keeper.Asked(os.Args) {
		os.Exit(keeper.Main(os.Args))
	}
	if config := os.Getenv(asGateway); config != "" {
		if err := serveForTest(config); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	rlog.SetLogLevel("fatal") // what clients complain of, tests tell by themselves
	labtest.Main(m)
}

// patience is how long a test waits for what clients, brokers and lanes do by themselves. It is a
// guard: nothing is judged by it.
const patience = 5 * time.Minute

// lookEvery is how often a test looks at what it waits for.
const lookEvery = 20 * time.Millisecond

// rigTime bounds a whole test: with twenty Java clients on two cores a round of moves takes
// minutes.
const rigTime = 40 * time.Minute

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
	lanes          []lane.Lane
	signs          primitive.Credentials // of applications
	breaks         breaks                // what the test breaks while producers send
	seen           *seen
}

func newRig(t *testing.T, name string) *rig {
	t.Helper()
	return newRigBetween(t, name, labtest.Cluster(t, "4.9.7"), labtest.Cluster(t, "5.3.3"))
}

func newRigBetween(t *testing.T, name string, source, target *lab.Cluster) *rig {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), rigTime)
	t.Cleanup(cancel)
	r := &rig{
		T:      t,
		ctx:    ctx,
		name:   name,
		source: connect(t, source, nil),
		target: connect(t, target, nil),
		seen:   &seen{},
	}
	r.configure(source.NameServers)
	return r
}

func (r *rig) configure(source []string) {
	r.admin = r.target
	r.config = Config{
		Name: "gateway-" + r.name, Listen: "127.0.0.1", Advertise: "127.0.0.1", Dir: r.TempDir(), NameServers: source,
		Log: labtest.Log(r.T, "gateway"),
	}
}

func connect(t *testing.T, c *lab.Cluster, as *remoting.Credentials) *rocketmq.Cluster {
	client := rocketmq.NewClient(rocketmq.Options{Credentials: as})
	t.Cleanup(client.Close)
	return rocketmq.NewCluster(client, c.NameServers)
}

// nameOf makes a name of a topic or group that no other test has: all share the same clusters.
func (r *rig) nameOf(name string) string { return "gateway-" + r.name + "-" + name }

// topic makes a topic on both sides, with so many queues on each source broker, and its lanes.
func (r *rig) topic(name string, queues int) string {
	r.Helper()
	return r.topicNamed(r.nameOf(name), queues)
}

func (r *rig) topicNamed(name string, queues int) string {
	r.Helper()
	sources, targets := r.brokers(r.source), r.brokers(r.admin)
	queues = max(queues, len(targets)/len(sources)) // each target broker has one
	for _, b := range sources {
		r.make(r.source, b, name, queues)
	}
	for _, b := range targets {
		r.make(r.admin, b, name, queues*len(sources)/len(targets))
	}
	var lanes []lane.Lane
	r.await("the topic's lanes are known", func() string { // proxies read routes anew every 20 s
		var err error
		lanes, err = replica.LanesOf(r.ctx, r.source, r.target, name)
		return textOf(err)
	})
	r.lanes = append(r.lanes, lanes...)
	return name
}

func (r *rig) make(c *rocketmq.Cluster, b rocketmq.Broker, topic string, queues int) {
	r.Helper()
	untilAnswered(r, "topic "+topic+" is made", func() (none struct{}, err error) {
		return none, c.Client().
			CreateTopic(r.ctx, b.Addr, rocketmq.TopicConfig{Name: topic, ReadQueues: queues, WriteQueues: queues, Perm: 6})
	})
}

// group makes a group on both sides, with its retry topic.
func (r *rig) group(name string) string {
	r.Helper()
	name = r.nameOf(name)
	for _, c := range []*rocketmq.Cluster{r.source, r.admin} {
		for _, b := range r.brokers(c) {
			untilAnswered(r, "group "+name+" is made", func() (none struct{}, err error) {
				return none, c.Client().
					PutGroup(r.ctx, b.Addr, rocketmq.Group{Name: name, ConsumeEnable: true, FromMinEnable: true, BroadcastEnable: true, RetryQueues: 1, RetryMaxTimes: 16, WhichBrokerWhenSlow: 1, NotifyChanged: true})
			})
		}
	}
	r.topicNamed(rocketmq.RetryTopic(name), 1)
	return name
}

func (r *rig) brokers(c *rocketmq.Cluster) []rocketmq.Broker {
	r.Helper()
	return untilAnswered(r, "the brokers are known", func() ([]rocketmq.Broker, error) { return c.Brokers(r.ctx) })
}

func (r *rig) names() replica.Names {
	return replica.Names{Group: "rocketshift-gateway-" + r.name, Source: "S", Target: "T"}
}

// replicate runs the lanes both ways until they are stopped, at the end of the test at the latest.
func (r *rig) replicate() (end func()) {
	r.Helper()
	ctx, stop := context.WithCancel(r.ctx)
	copier := replicator.NewReplicator(r.source, r.target,
		replicator.Options{Names: r.names(), Holder: r.name, BothWays: true})
	ended := make(chan error, 1)
	var last lane.Progress
	go func() { ended <- copier.Run(ctx, r.lanes, func(p lane.Progress) { last = p }) }()
	end = sync.OnceFunc(func() {
		stop()
		require.NoError(r, <-ended)
		if r.Failed() {
			r.Logf("lanes: %s; back: %s", toldOf(&last), toldOf(last.Back))
		}
	})
	r.Cleanup(end)
	return end
}

// toldOf is a run's sums and faults.
func toldOf(p *lane.Progress) string {
	if p == nil {
		return "none"
	}
	return fmt.Sprintf("%d of %d caught up, %d copied, lag %d, waiting %q; %d faults: %.1000v", p.CaughtUp,
		p.Lanes, p.Copied, p.Lag, p.Waiting, len(p.Faults), p.Faults)
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

func (r *rig) migration() control.Migration {
	n := r.names()
	m := control.Migration{
		Name:      r.name,
		LaneGroup: n.Group,
		Source:    n.Source,
		Target:    n.Target,
		Proxy:     r.target.Proxy(),
	}
	if m.Proxy == "" {
		m.NameServers = r.target.NameServers()
	}
	return m
}

var moveNumber atomic.Int64

// move moves, and wants it done.
func (r *rig) move(m control.Move) (was control.Moved) {
	r.Helper()
	number, try := moveNumber.Add(1), 0
	r.await(
		m.Kind+" moves to the "+m.To,
		func() (why string) { // one that isn't done has changed nothing: on a busy machine a broker may answer too late
			try++
			m.ID, m.Budget = fmt.Sprint("move-", number, "-", try), control.Duration(2*time.Second)
			defer r.seen.move(time.Now())
			var err error
			was, err = r.gateway.Move(r.ctx, m)
			require.NoError(r, err)
			if was.Done {
				return ""
			}
			return fmt.Sprintf("try %d: %s", try, was.Reason)
		},
	)
	return was
}

// await waits until nothing is missing any more.
func (r *rig) await(what string, missing func() string) {
	r.Helper()
	for end := time.Now().Add(patience); ; {
		is := missing()
		if is == "" {
			return
		}
		if time.Now().After(end) {
			r.Fatalf("waited for %s: %s. Missing: %.1000s", patience, what, is)
		}
		require.NoError(r, sleep.For(r.ctx, lookEvery), "%s. Missing: %.1000s", what, is)
	}
}

// eventually waits for a condition of which there is nothing more to say.
func (r *rig) eventually(what string, ok func() bool) {
	r.Helper()
	r.await(what, func() string {
		if ok() {
			return ""
		}
		return "this"
	})
}

// untilAnswered asks until there is an answer: on a busy machine it may come too late. What a
// gateway refuses isn't asked for again.
func untilAnswered[T any](r *rig, what string, ask func() (T, error)) (got T) {
	r.Helper()
	r.await(what, func() string {
		var err error
		got, err = ask()
		var no *control.RefusedError
		require.False(r, errors.As(err, &no), "%s: %v", what, err)
		return textOf(err)
	})
	return got
}

// goesOnAt makes the newest answer to a pull say where a group goes on.
func goesOnAt(t *testing.T, v *routing.View, next int64) {
	t.Helper()
	on, shift := v.Reading()
	var pull routing.Pulling
	_, ok := v.Enter(on, -1, false, func(asked uint64) { pull = routing.Pulling{Side: on, Asked: asked} })
	require.True(t, ok, "its pulls go")
	raw := wire.AppendReply(nil, 1, false, wire.Reply{
		Code: remoting.Success, Fields: []string{"nextBeginOffset", strconv.FormatInt(next+shift, 10)},
	})
	var f wire.Frame
	require.NoError(t, f.Parse(raw))
	_, there := v.Answer(&f, pull, func() bool { return true })
	require.True(t, there)
}

// nativeOf is what an offset of the group is on a side.
func nativeOf(v *routing.View, on routing.Side, offset int64) int64 {
	return max(0, offset+v.Standing().Shift[on])
}

// stops reports whether a group's pulls wait.
func stops(v *routing.View) bool {
	_, busy := v.Stop(v.Reads())
	return busy
}
