package replicator

import (
	"bytes"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replica"
)

func TestLiveAllKindsOfMessagesAreCopiedExactly(t *testing.T) {
	l := newLive(t, "all-kinds", 1)
	lane := l.lanes[0]
	born := time.Now().Add(-time.Hour).UnixMilli()
	binary := make([]byte, 70_000)
	for i := range binary {
		binary[i] = byte(i * 7)
	}
	p := func(pairs ...string) (all []remoting.Property) {
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, remoting.Property{Name: pairs[i], Value: pairs[i+1]})
		}
		return all
	}
	l.single(lane, []byte("tags and keys"), born, p("TAGS", "a", "KEYS", "k1 k2", "UNIQ_KEY", "u1")...)
	l.single(lane, binary, born+1, p("UNIQ_KEY", "u2", "own", "ä€\U0001F600")...)
	l.single(lane, []byte("no properties"), born+2)
	l.single(lane, nil, born+2, p("KEYS", "empty body")...)
	l.single(lane, []byte("ordered"), born+3, p("__SHARDINGKEY", "customer 7")...)
	verbatim := []rocketmq.BatchMessage{
		{Body: []byte("delivered late"), Properties: []byte("DELAY\x013\x02REAL_TOPIC\x01x\x02REAL_QID\x010")},
		{Body: []byte("committed"), Properties: []byte("TRAN_MSG\x01true\x02PGROUP\x01p\x02")},
		{Body: []byte("timer"), Properties: []byte("TIMER_DELIVER_MS\x014102444800000")},
		{Body: []byte("repeated names"), Properties: []byte("A\x011\x02A\x012\x02B\x01\x02"), Flag: -1},
		{Body: []byte("stale stamp"), Properties: []byte("K\x01k\x02ROCKETSHIFT\x01999,0,broker-z,other,Old\x02")},
		{
			Body:       []byte("long properties"),
			Properties: remoting.AppendProperty(nil, "long", strings.Repeat("x", 32_000)),
		},
	}
	l.batch(l.source, lane.Source, born+4, verbatim...)
	for _, size := range []int{1 << 20, 2<<20 + 3, 4<<20 - 4096} {
		l.batch(l.source, lane.Source, born+5,
			rocketmq.BatchMessage{Body: bytes.Repeat([]byte("0123456"), size/7), Properties: []byte("KEYS\x01big")})
	}
	c := l.start("one", l.lanes, func(r *Replicator) { r.options.ExactBorn = true })
	l.untilCopied(c)
	if last := c.stop(); last.Copied != 14 || len(last.Faults) > 0 {
		t.Fatalf("progress %+v, wanted 14 copied", last)
	}
	l.wantClean(14)

	// Once more without this package's own comparison: what a 5.x consumer pulls.
	target := replica.Reader{
		Side:  replica.NewBrokers("target", l.target),
		Group: l.group,
		Topic: l.topic,
		Queue: lane.Target,
	}
	message, there, err := target.One(l.ctx, 1)
	if err != nil || !there || !bytes.Equal(message.Body, binary) || message.BornTimestamp != born+1 {
		t.Fatalf("the second copy: %v, %v, %d bytes, born %d", err, there, len(message.Body), message.BornTimestamp)
	}
	if own, _ := remoting.PropertyValue(message.Properties, "own"); own != "ä€\U0001F600" {
		t.Errorf("its property reads %q", own)
	}
	stale, _, err := target.One(l.ctx, 9)
	if stamp, ok := replica.ParseStamp(stale.Properties); err != nil || !ok || stamp.Offset != 9 ||
		stamp.Topic != l.topic ||
		stamp.Cluster != "Source" {
		t.Errorf("%v: stamp %v, wanted the lane's own in the place of the stale one", err, stamp)
	}
}

// TestLiveBodiesAreCopiedAsTheyAreStored copies what is compressed in each of RocketMQ's ways, and
// messages of senders with long addresses.
func TestLiveBodiesAreCopiedAsTheyAreStored(t *testing.T) {
	l := newLive(t, "as-stored", 1)
	lane, n := l.lanes[0], int64(0)
	addr := l.broker(l.source, lane.Source.Broker)
	// 1 is LZ4, 2 ZSTD, 3 zlib, others are to come
	for kind := int32(0); kind <= remoting.FlagCompressionType; kind += 0x100 {
		for _, bits := range []int32{0, remoting.FlagCompressed, remoting.FlagMultiTags} {
			_, err := l.source.Client().SendBatch(l.ctx, addr, rocketmq.BatchRequest{
				Group: "writer", Topic: l.topic, Queue: lane.Source.ID, SysFlag: kind | bits, BornTimestamp: 7 + n,
				Messages: []rocketmq.BatchMessage{
					{Body: []byte{0x28, 0xb5, 0x2f, 0xfd, byte(n)}, Properties: []byte("KEYS\x01k")},
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
	}
	if own, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Logf("no IPv6 on this machine, and so none here: %v", err)
	} else {
		_ = own.Close()
		l.sendFromFar(lane, n)
		n++
	}
	c := l.start("one", l.lanes, nil)
	l.untilCopied(c)
	c.stop()
	l.wantClean(n)
	target := replica.Reader{
		Side:  replica.NewBrokers("target", l.target),
		Group: l.group,
		Topic: l.topic,
		Queue: lane.Target,
	}
	if m, there, err := target.One(l.ctx, n-1); err != nil || !there || m.SysFlag&remoting.FlagBornHostV6 != 0 {
		t.Errorf("%v, %v: the last copy, of body %q, has system flag %#x, and was sent over IPv4", err, there,
			m.Body, m.SysFlag)
	}
}

// sendFromFar stores a message of a sender with an IPv6 address, and checks that the broker says
// so.
func (l *live) sendFromFar(lane lane.Lane, offset int64) {
	l.Helper()
	_, port, err := net.SplitHostPort(l.broker(l.source, lane.Source.Broker))
	if err != nil {
		l.Fatal(err)
	}
	long := rocketmq.SendRequest{
		Group:         "writer",
		Topic:         l.topic,
		Queue:         lane.Source.ID,
		BornTimestamp: 99,
		Body:          []byte("from far away"),
	}
	if _, err := l.source.Client().SendMessage(l.ctx, net.JoinHostPort("::1", port), long); err != nil {
		l.Fatalf("send over IPv6, which brokers listen to unless they are told otherwise: %v", err)
	}
	l.shown(l.source, lane.Source, offset+1)
	source := replica.Reader{
		Side:  replica.NewBrokers("source", l.source),
		Group: l.group,
		Topic: l.topic,
		Queue: lane.Source,
	}
	if m, there, err := source.One(l.ctx, offset); err != nil || !there || m.SysFlag&remoting.FlagBornHostV6 == 0 ||
		!m.BornHost.Addr().Is6() {
		l.Fatalf("%v, %v: stored as of %s, system flag %#x; wanted one of IPv6", err, there, m.BornHost, m.SysFlag)
	}
}

func TestLiveLanesGoOnAfterAnAbruptStop(t *testing.T) {
	l := newLive(t, "abrupt-stop", 2)
	l.fill(1500)
	const each, lanes = 1500, 4
	var target *stuck
	first := l.start("one", l.lanes, func(r *Replicator) {
		target = newStuck(r.target, each/3)
		r.target, r.timing.sendTimeout = target, liveTime
		r.options.BatchMessages = 7
		r.timing.commit, r.timing.caughtUp = time.Hour, time.Hour // nothing is committed after the first start
		// and nothing at the end: locks stay, positions are old
		r.timing.checkpoint = -1
	})
	l.until("each lane has a batch on its way", first, func(lane.Progress) bool {
		queues, _ := target.unanswered()
		return queues == lanes
	})
	copied := first.stop().Copied
	_, stored := target.unanswered()
	if copied+stored >= each*lanes || copied == 0 {
		t.Fatalf("%d messages were copied, %d stored without an answer: the stop was not in the middle", copied, stored)
	}
	for _, lane := range l.lanes {
		if at, _, err := positions.New(l.source, l.target, l.names()).Progress(l.ctx, lane); err != nil || at != 0 {
			t.Fatalf("%v: progress %d was committed, wanted none so that only stamps help", err, at)
		}
	}
	second := l.start("one", l.lanes, nil) // the same holder: its locks are its own
	l.untilCopied(second)
	if last := second.stop(); last.Copied+copied+stored != each*lanes {
		t.Errorf("%d and %d messages were copied, and %d without an answer, wanted %d altogether", copied,
			last.Copied, stored, each*lanes)
	}
	l.wantClean(each * lanes)
}

func TestLiveSecondCopierWaitsForTheFirst(t *testing.T) {
	l := newLive(t, "two-copiers", 1)
	l.fill(100)
	first := l.start("one", l.lanes, nil)
	l.untilCopied(first)
	second := l.start("two", l.lanes, nil)
	l.until("the second waits", second,
		func(p lane.Progress) bool { return strings.Contains(p.Waiting, "locked by another copier") })
	l.fill(100)
	l.untilCopied(first)
	first.stop()
	l.fill(100)
	l.untilCopied(second)
	if got := second.stop().Copied; got != 200 {
		t.Errorf("the second copied %d messages, wanted the last 100 of both lanes", got)
	}
	l.wantClean(600)
}

func TestLivePositionsFollowTheStamps(t *testing.T) {
	l := newLive(t, "positions", 1)
	lane := l.lanes[0]
	l.fill(700)
	c := l.start("one", l.lanes, nil)
	l.untilCopied(c)
	l.batch(l.target, lane.Target, time.Now().UnixMilli(), rocketmq.BatchMessage{Body: []byte("native")},
		rocketmq.BatchMessage{Body: []byte("native")})
	l.fill(50)
	l.untilCopied(c)
	c.stop()
	p := positions.New(l.source, l.target, l.names())
	for offset, want := range map[int64]positions.Translation{
		0: {Exact: true}, 1: {Target: 1, Exact: true}, 699: {Target: 699, Exact: true}, 700: {Target: 700},
		701: {Target: 703, Exact: true, Unread: 2}, 750: {Target: 752, Exact: true, Unread: 2},
	} {
		if got, err := p.Forward(l.ctx, lane, offset); err != nil || got != want {
			t.Errorf("forward %d: %+v, %v; wanted %+v", offset, got, err, want)
		}
	}
	for position, want := range map[int64]positions.Translation{
		0: {Exact: true, Unread: 2}, 700: {Target: 700, Exact: true, Unread: 2},
		701: {Target: 700, Exact: true, Unread: 1}, 702: {Target: 700, Exact: true},
		703: {Target: 701, Exact: true}, 752: {Target: 750, Exact: true},
	} {
		if got, err := p.Back(l.ctx, lane, position); err != nil || got != want {
			t.Errorf("back %d: %+v, %v; wanted %+v", position, got, err, want)
		}
	}
	if got, err := p.Natives(l.ctx, lane); err != nil || got != (positions.Natives{Count: 2, First: 700, Last: 701}) {
		t.Errorf("natives %+v, %v", got, err)
	}
}

func TestLiveVerifyFindsWhatIsPlanted(t *testing.T) {
	l := newLive(t, "planted", 1)
	of := l.lanes[0]
	l.fill(60)
	c := l.start("one", l.lanes[1:], nil)
	l.until("the other lane is copied", c, func(p lane.Progress) bool { return p.Copied == 60 })
	c.stop()
	// This lane is copied by hand: 10 is missing, 20 altered, 30 comes late, 40 is there twice, 50
	// is an application's.
	source := replica.Reader{
		Side:  replica.NewBrokers("source", l.source),
		Group: l.group,
		Topic: l.topic,
		Queue: of.Source,
	}
	stamps := replica.NewStamper(l.names(), of)
	var offsets []int64
	for offset := range int64(60) {
		offsets = append(offsets, offset)
	}
	offsets = slices.Insert(offsets, 41, 40)
	offsets = slices.Insert(slices.Delete(offsets, 30, 31), 35, 30)
	offsets = slices.Delete(offsets, 10, 11)
	for _, offset := range offsets {
		m, there, err := source.One(l.ctx, offset)
		if err != nil || !there {
			t.Fatalf("offset %d: %v, %v", offset, there, err)
		}
		body := m.Body
		if offset == 20 {
			body = []byte("altered")
		}
		l.batch(l.target, of.Target, m.BornTimestamp,
			rocketmq.BatchMessage{Flag: m.Flag, Body: body, Properties: stored(stamps, m.Properties, offset)})
	}
	l.batch(l.target, of.Target, time.Now().UnixMilli(),
		rocketmq.BatchMessage{Body: []byte("sent again"), Properties: stored(stamps, nil, 50)})
	if err := replica.NewBrokers("source", l.source).EnsureGroup(l.ctx, of.Source.Broker, l.group); err != nil {
		t.Fatal(err)
	}
	if err := source.Side.Commit(l.ctx, l.group, l.topic, of.Source, 60); err != nil {
		t.Fatal(err)
	}
	got := l.verify()
	if got.Compared != 119 || got.Missing != 1 || got.Altered != 1 || got.OutOfOrder != 1 || got.Extra != 1 ||
		got.Natives != 1 ||
		len(got.Examples) != 4 {
		t.Fatalf("verification %+v, wanted one of each kind and four examples", got)
	}
}

func TestLiveTargetThatFreezesOrDiesGetsEverythingOnce(t *testing.T) {
	t.Parallel()
	cluster := labtest.OwnCluster(t, lab.ClusterSpec{Name: "Frozen", Version: "5.3.3", Brokers: 1})
	broker := cluster.Brokers[0].Name
	l := newLiveOn(t, cluster, "faulty-target", 2)
	l.fill(2000)
	c := l.start("one", l.lanes, func(r *Replicator) {
		r.options.BatchMessages = 5
		r.timing.sendTimeout = time.Second
		r.SetRate("", lane.Rate{Messages: 500}) // so that there is much left when the target freezes
	})
	l.until("copies are made", c, func(p lane.Progress) bool { return p.Copied > 500 })
	if err := cluster.SuspendBroker(broker); err != nil {
		t.Fatal(err)
	}
	l.until("the lanes say that they wait for the frozen target", c,
		func(p lane.Progress) bool { return strings.Contains(p.Waiting, "target broker "+broker) })
	if err := cluster.ContinueBroker(broker); err != nil {
		t.Fatal(err)
	}
	c.SetRate("", lane.Rate{Messages: 2000}) // and when it dies
	frozen := c.progress().Copied
	l.until("the lanes go on", c, func(p lane.Progress) bool { return p.Copied > frozen+200 })
	if err := cluster.KillBroker(broker); err != nil {
		t.Fatal(err)
	}
	l.until("the lanes say that they wait for the dead target", c,
		func(p lane.Progress) bool { return p.Waiting != "" })
	c.SetRate("", lane.Rate{})
	if err := cluster.StartBroker(l.ctx, broker); err != nil {
		t.Fatal(err)
	}
	l.untilCopied(c)
	if last := c.stop(); len(last.Faults) > 0 {
		t.Fatalf("progress %+v, wanted no fault", last)
	}
	l.wantClean(8000)
}
