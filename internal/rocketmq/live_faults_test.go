package rocketmq_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// TestLongFaultsAreNoticedAndOutlived breaks one broker again and again, since starting one takes
// seconds.
func TestLongFaultsAreNoticedAndOutlived(t *testing.T) {
	t.Parallel()
	onOwn(t, lab.ClusterSpec{}, func(l *live, c *lab.Cluster) {
		l.story(c, "RocketMQ's own topics and groups are known as such", ownNamesAreKnown)
		l.story(c, "a deadline ends calls to a frozen broker", callsToAFrozenBrokerEnd)
		l.story(c, "the client's own limit ends calls without a deadline", clientsOwnLimitEndsCalls)
		l.story(c, "the client finds a restarted broker by itself", restartedBrokerIsFound)
		l.story(c, "the longest properties of a batch harm nobody", longestPropertiesHarmNobody)
	})
}

// story is a test on the same cluster, with a client, a topic and a group of its own.
func (l *live) story(c *lab.Cluster, name string, tell func(*live, *lab.Cluster)) {
	// The client's own limits are so long that no call ends by them.
	l.Run(name, func(t *testing.T) {
		tell(newLive(t, c, rocketmq.Options{CallTimeout: time.Hour, MaxSilence: time.Hour}), c)
	})
}

func restartedBrokerIsFound(l *live, c *lab.Cluster) {
	l.makeTopic(1)
	l.makeGroup()
	l.fill(0, 3)
	require.NoError(l, l.client.UpdateOffset(l.ctx, l.addr, l.group, l.topic, 0, 2))
	for _, end := range []struct {
		name string
		end  func(string) error
	}{{"stopped in good order", c.StopBroker}, {"killed", c.KillBroker}} {
		l.Logf("the broker is %s", end.name)
		l.endDuringALongPull(func() error { return end.end(l.broker) })
		_, err := l.client.MaxOffset(l.ctx, l.addr, l.topic, 0)
		require.ErrorContains(l, err, l.addr)
		assert.True(l, remoting.Retryable(err) && remoting.Unreachable(err),
			"%s: %v, wanted one that may be tried again", end.name, err)

		require.NoError(l, c.StartBroker(l.ctx, l.broker))
		got, err := l.client.MaxOffset(l.ctx, l.addr, l.topic, 0)
		require.NoError(l, err, "%s: the first call after the restart", end.name)
		assert.EqualValues(l, 3, got, end.name)
		l.wantOffset(0, 2)
		assert.Len(l, l.read(l.topic, 0, 0, 3), 3, end.name)
	}
}

// endDuringALongPull ends the broker while it holds a pull, which must end then and not at its own
// deadline.
func (l *live) endDuringALongPull(end func() error) {
	l.Helper()
	ended := l.hold(rocketmq.PullRequest{Topic: l.topic, Offset: 3, Max: 1, Wait: time.Hour})
	require.NoError(l, end())
	_, err := ended()
	require.ErrorContains(l, err, l.addr)
	assert.True(l, remoting.Unreachable(err), "the pull ended with %v, wanted a broken connection", err)
	assert.NotErrorIs(l, err, context.DeadlineExceeded, "the pull ended by its own deadline")
}

func callsToAFrozenBrokerEnd(l *live, c *lab.Cluster) {
	l.makeTopic(2)
	l.makeGroup()
	l.fill(0, 3)
	l.fill(1, 1)
	body := []rocketmq.BatchMessage{{Body: []byte("lost or not")}}
	calls := map[string]func(context.Context) error{
		"GET_MAX_OFFSET": func(ctx context.Context) error {
			_, err := l.client.MaxOffset(ctx, l.addr, l.topic, 0)
			return err
		},
		"PULL_MESSAGE": func(ctx context.Context) error {
			_, err := l.client.Pull(ctx, l.addr,
				rocketmq.PullRequest{Group: l.reader, Topic: l.topic, Wait: time.Minute})
			return err
		},
		"SEND_BATCH_MESSAGE": func(ctx context.Context) error {
			_, err := l.client.SendBatch(ctx, l.addr,
				rocketmq.BatchRequest{Group: "writer", Topic: l.topic, Queue: 1, Messages: body})
			return err
		},
		"UPDATE_CONSUMER_OFFSET": func(ctx context.Context) error {
			return l.client.UpdateOffset(ctx, l.addr, l.group, l.topic, 0, 2)
		},
		"LOCK_BATCH_MQ": func(ctx context.Context) error {
			_, err := l.client.LockQueues(ctx, l.addr, l.group, "holder",
				[]rocketmq.MessageQueue{{Topic: l.topic, Broker: l.broker}})
			return err
		},
	}
	l.freeze(c)
	var all sync.WaitGroup
	for name, call := range calls {
		all.Go(func() {
			began := time.Now()
			ctx, cancel := context.WithTimeout(l.ctx, allowed)
			defer cancel()
			l.wantDeadline(name, began, func() error { return call(ctx) })
		})
	}
	all.Wait()
	require.NoError(l, c.ContinueBroker(l.broker))
	// The late answers to what was given up must not be taken for answers to these.
	for range 20 {
		for queue, least := range []int64{3, 1} {
			got, err := l.client.MaxOffset(l.ctx, l.addr, l.topic, queue)
			require.NoError(l, err)
			require.True(l, got == least || queue == 1 && got == 2,
				"end of queue %d: %d, wanted %d or one more where a send was given up", queue, got, least)
		}
	}
}

func (l *live) freeze(c *lab.Cluster) {
	l.Helper()
	require.NoError(l, c.SuspendBroker(l.broker))
	l.Cleanup(func() { _ = c.ContinueBroker(l.broker) }) // also if the test fails in between
}

func clientsOwnLimitEndsCalls(l *live, c *lab.Cluster) {
	hasty := rocketmq.NewClient(rocketmq.Options{CallTimeout: allowed, MaxSilence: time.Hour})
	l.Cleanup(hasty.Close)
	l.freeze(c)
	began := time.Now()
	l.wantDeadline("GET_BROKER_RUNTIME_INFO", began, func() error {
		_, err := hasty.Runtime(context.Background(), l.addr) // the system still accepts its connection
		return err
	})
}

// allowed is the deadline of calls to a frozen broker: enough to send them on a machine that
// stalls.
const allowed = 3 * time.Second

// wantDeadline fails unless the call is given up at its deadline, and its error says which and
// where. Nothing else would end it: the client's other limits are an hour.
func (l *live) wantDeadline(call string, began time.Time, do func() error) {
	l.Helper()
	ended := make(chan error, 1)
	go func() { ended <- do() }()
	var err error
	select {
	case err = <-ended:
	case <-l.ctx.Done():
		l.Errorf("%s goes on, wanted it to end by its deadline of %s", call, allowed)
		return
	}
	if took := time.Since(began); took < allowed {
		l.Errorf("%s ended after %s, before its deadline of %s", call, took, allowed)
	}
	if !errors.Is(err, context.DeadlineExceeded) || !remoting.Ambiguous(err) || !remoting.Unreachable(err) ||
		remoting.Retryable(err) {
		l.Errorf("%s: %v, wanted a deadline that leaves open whether it was executed", call, err)
	}
	assert.ErrorContains(l, err, l.addr+": "+call+": no answer")
}

// ownNamesAreKnown looks at all names of a cluster that holds nothing but these tests' own and
// RocketMQ's.
func ownNamesAreKnown(l *live, c *lab.Cluster) {
	l.makeTopic(1)
	l.makeGroup()
	topics, err := l.client.TopicConfigs(l.ctx, l.addr)
	require.NoError(l, err)
	require.Contains(l, topics, "TBW102")
	require.Contains(l, topics, l.topic)
	for name := range topics {
		ours := strings.Contains(name, l.topic) || strings.HasPrefix(name, "%")
		assert.NotEqual(l, ours, rocketmq.SystemTopic(name, c.Spec().Name, []string{l.broker}),
			"is %s a system topic", name)
	}
	groups, err := l.client.Groups(l.ctx, l.addr)
	require.NoError(l, err)
	require.Contains(l, groups, "TOOLS_CONSUMER")
	require.Contains(l, groups, l.group)
	for name := range groups {
		ours := strings.Contains(name, l.topic)
		assert.NotEqual(l, ours, rocketmq.SystemGroup(name), "is %s a system group", name)
	}
}
