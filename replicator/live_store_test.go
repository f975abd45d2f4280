package replicator

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// The source takes the copier's rights away and gives them back, and then loses the beginning of
// its commit log under the lanes.
func TestLongSourceThatDeniesAndExpires(t *testing.T) {
	t.Parallel()
	admin := &lab.Account{AccessKey: "source-admin", SecretKey: "source-secret"}
	cluster := labtest.OwnCluster(
		t,
		lab.ClusterSpec{Name: "Strict", Version: "4.9.7", Brokers: 1, Admin: admin, Config: map[string]string{
			"mappedFileSizeCommitLog": "8388608",
		}},
	)
	broker := cluster.Brokers[0].Name
	l := newLiveBetween(t, cluster, labtest.Cluster(t, "5.3.3"), "strict", 1)
	l.fill(100)
	c := l.start("one", l.lanes, func(r *Replicator) {
		r.options.BothWays = true
		r.timing.retryMax, r.timing.pullWait, r.timing.patience = 200*time.Millisecond, time.Second, 3*time.Second
	})
	l.untilCopied(c)

	rules := filepath.Join(cluster.Dir, broker, "conf", "plain_acl.yml")
	allowed, err := os.ReadFile(rules)
	if err != nil {
		t.Fatal(err)
	}
	write := func(content string) {
		if err := os.WriteFile(rules+".new", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(rules+".new", rules); err != nil { // the broker sees the one or the other
			t.Fatal(err)
		}
	}
	write(strings.ReplaceAll(string(allowed), "source-secret", "another-secret"))
	l.until("the lane says that it is denied, and waits", c, func(p lane.Progress) bool {
		return strings.Contains(p.Waiting, "source broker "+broker) && strings.Contains(p.Waiting, "AclException") &&
			len(p.Faults) == 0
	})
	write(string(allowed))
	l.until("it goes on when it may again", c, func(p lane.Progress) bool { return p.Waiting == "" })
	l.batch(l.target, l.lanes[0].Target, time.Now().UnixMilli(), rocketmq.BatchMessage{Body: []byte("native")})
	l.until("what was written on the target comes back", c, func(lane.Progress) bool {
		end, err := l.source.Client().MaxOffset(l.ctx, l.broker(l.source, broker), l.topic, 0)
		return err == nil && end == 101
	})
	l.fill(50)
	l.untilCopied(c)
	c.stop()

	big := rocketmq.BatchMessage{Body: make([]byte, 1<<20)}
	for range 30 { // four files of the log
		l.batch(l.source, l.lanes[0].Source, time.Now().UnixMilli(), big)
	}
	if err := cluster.StopBroker(broker); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(cluster.StoreDir(broker), "commitlog")
	files, err := filepath.Glob(filepath.Join(log, "0*"))
	if err != nil || len(files) < 4 {
		t.Fatalf("%v: files of the log %v, wanted at least 4", err, files)
	}
	slices.Sort(files)
	for _, file := range files[:2] {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	if err := cluster.StartBroker(l.ctx, broker); err != nil {
		t.Fatal(err)
	}
	c = l.start("one", l.lanes, func(r *Replicator) { r.timing.patience = time.Second })
	l.until("what expired is named", c,
		func(p lane.Progress) bool { return len(p.Faults) == 1 && p.Faults[0].Type == lane.SourceTruncated })
	gap := c.progress().Faults[0]
	if gap.From != 151 || gap.To <= gap.From {
		t.Fatalf("fault %+v, wanted one from 151 on", gap)
	}
	answer := lane.Answer{
		Topic:  gap.Topic,
		Broker: gap.Broker,
		Queue:  gap.Queue,
		Action: lane.Skip,
		From:   gap.From,
		To:     gap.To,
	}
	if err := c.Answer(answer); err != nil {
		t.Fatal(err)
	}
	l.untilCopied(c)
	if p := c.stop(); p.Skipped != gap.To-gap.From || p.Copied != 181-gap.To {
		t.Fatalf("progress %+v, wanted %d given up and %d copied", p, gap.To-gap.From, 181-gap.To)
	}
}

// A target with ACL 2.0 doesn't know the copier until somebody makes its user.
func TestLongTargetThatDeniesIsWaitedFor(t *testing.T) {
	t.Parallel()
	admin := &lab.Account{AccessKey: "target-admin", SecretKey: "target-secret"}
	cluster := labtest.OwnCluster(t, lab.ClusterSpec{Name: "Closed", Version: "5.3.3", Brokers: 1, Admin: admin})
	broker := cluster.Brokers[0]
	l := newLiveOn(t, cluster, "closed", 1)
	client := rocketmq.NewClient(
		rocketmq.Options{Credentials: &remoting.Credentials{AccessKey: "the-copier", SecretKey: "copier-secret"}},
	)
	t.Cleanup(client.Close)
	r := NewReplicator(l.source, rocketmq.NewCluster(client, cluster.NameServers),
		Options{Names: l.names(), Holder: "one", BothWays: true})
	r.timing.report, r.timing.retryMax = 20*time.Millisecond, 200*time.Millisecond
	l.fill(100)
	c := l.run(r, l.lanes)
	l.until("the lanes say that they are denied, and wait", c, func(p lane.Progress) bool {
		return strings.Contains(p.Waiting, "target broker "+broker.Name) &&
			strings.Contains(p.Waiting, "NO_PERMISSION") &&
			len(p.Faults) == 0
	})
	made, err := l.target.Client().Call(l.ctx, broker.Addr, &remoting.Command{
		Code: 3001, Fields: map[string]string{"username": "the-copier"}, // AUTH_CREATE_USER
		Body: []byte(
			`{"username": "the-copier", "password": "copier-secret", "userType": "Super", "userStatus": "enable"}`,
		),
	})
	if err != nil || made.Code != remoting.Success {
		t.Fatalf("make the user: %v, %+v", err, made)
	}
	l.untilCopied(c)
	l.batch(l.target, l.lanes[0].Target, time.Now().UnixMilli(), rocketmq.BatchMessage{Body: []byte("native")})
	l.until("what was written on the target is copied back", c,
		func(p lane.Progress) bool { return p.Back != nil && p.Back.Copied == 1 })
	if p := c.stop(); len(p.Faults)+len(p.Back.Faults) > 0 {
		t.Fatalf("faults %+v, back %+v", p.Faults, p.Back.Faults)
	}
	if got := l.verify(); got.Compared != 200 || got.Natives != 1 ||
		got.Missing+got.Extra+got.Altered+got.OutOfOrder > 0 {
		t.Fatalf("verification %+v, wanted 200 messages and one native", got)
	}
}
