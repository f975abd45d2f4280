package replicator

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

func TestWhatARunOnAPartOfTheSourceLeftIsRecognised(t *testing.T) {
	has := func(brokers ...any) map[string]rocketmq.TopicConfig {
		all := map[string]rocketmq.TopicConfig{}
		for i := 0; i < len(brokers); i += 2 {
			n := brokers[i+1].(int)
			all[brokers[i].(string)] = rocketmq.TopicConfig{ReadQueues: n, WriteQueues: n, Perm: 6}
		}
		return all
	}
	copied := func(source, target map[string]rocketmq.TopicConfig) (all []replica.CopiesOf) {
		lanes, err := lane.Pair("orders", replica.QueuesBy(source), replica.QueuesBy(target))
		assert.NoError(t, err)
		for _, l := range lanes {
			all = append(all, replica.CopiesOf{Target: l.Target, Source: l.Source})
		}
		return all
	}
	whole := has("a", 4, "b", 4)
	for name, c := range map[string]struct {
		target  map[string]rocketmq.TopicConfig
		brokers []string
		copies  []replica.CopiesOf
		want    replica.Remains
		fits    bool
		begun   bool
	}{
		"the first broker was seen, one target broker": {
			target: has("x", 4), brokers: []string{"x"}, copies: copied(has("a", 4), has("x", 4)),
			want: replica.Remains{Grow: map[string]int{"x": 8}, Copies: true, Unseen: []string{"b"}},
		},
		"the last broker was seen": {
			target: has("x", 4), brokers: []string{"x"}, copies: copied(has("b", 4), has("x", 4)),
			want: replica.Remains{Copies: true, Unseen: []string{"a"}, Misplaced: copied(has("b", 4), has("x", 4))},
		},
		"two target brokers": {
			target: has("x", 2, "y", 2), brokers: []string{"x", "y"}, copies: copied(has("a", 4), has("x", 2, "y", 2)),
			want: replica.Remains{Copies: true, Unseen: []string{"b"}, Misplaced: []replica.CopiesOf{
				{Target: lane.Queue{Broker: "y", ID: 0}, Source: lane.Queue{Broker: "a", ID: 2}},
				{Target: lane.Queue{Broker: "y", ID: 1}, Source: lane.Queue{Broker: "a", ID: 3}},
			}},
		},
		"nothing was copied": {
			target: has("x", 2, "y", 2), brokers: []string{"x", "y"},
			want: replica.Remains{Grow: map[string]int{"x": 4, "y": 4}},
		},
		"its making was cut off": {
			target: has("x", 4), brokers: []string{"x", "y"}, begun: true,
			want: replica.Remains{Grow: map[string]int{"x": 4, "y": 4}},
		},
		"somebody gave it the queues that it lacked": {
			target: has("x", 4, "y", 4), brokers: []string{"x", "y"}, copies: copied(has("a", 4), has("x", 2, "y", 2)),
			want: replica.Remains{Copies: true, Unseen: []string{"b"}, Misplaced: []replica.CopiesOf{
				{Target: lane.Queue{Broker: "y", ID: 0}, Source: lane.Queue{Broker: "a", ID: 2}},
				{Target: lane.Queue{Broker: "y", ID: 1}, Source: lane.Queue{Broker: "a", ID: 3}},
			}},
		},
		"all fits": {
			target: has("x", 8), brokers: []string{"x"}, copies: copied(whole, has("x", 8)),
			fits: true,
		},
		"the rest isn't copied yet": {
			target: has("x", 8), brokers: []string{"x"}, copies: copied(whole, has("x", 8))[:4],
			fits: true,
		},
		"the target has more than that": {target: has("x", 9), brokers: []string{"x"}, fits: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, some := replica.RemainsOf(whole, c.target, c.brokers, c.copies)
			assert.Equal(t, !c.fits, some)
			if some {
				assert.Equal(t, c.want, got)
				assert.Equal(t, c.begun, got.Begun(c.target))
			}
		})
	}
}

func TestRemainsAreToldWithTheCommandsThatMendThem(t *testing.T) {
	four := rocketmq.TopicConfig{ReadQueues: 4, WriteQueues: 4, Perm: 6}
	source := map[string]rocketmq.TopicConfig{"a": four, "b": four}
	target := map[string]rocketmq.TopicConfig{"x": four}
	at := replica.Place{
		Source: "10.0.0.8:9876", Target: "10.0.0.9:9876", Topic: "orders", Renamed: "eu-orders", Group: "rocketshift-x",
		Brokers: []rocketmq.Broker{{Cluster: "C5", Name: "x", Addr: "10.0.0.1:10911"}},
	}
	grow := replica.Remains{Grow: map[string]int{"x": 8}, Copies: true, Unseen: []string{"b"}}
	assert.Equal(t,
		"the source has 8 queues (a 4, b 4) and the target 4 (x 4), which hold copies, and none of source broker b: "+
			"they were made by a run that didn't see it", grow.Cause(source, target))
	assert.Equal(t,
		"give it the queues that it lacks; its copies stay where they belong, and the rest is copied: "+
			"mqadmin updateTopic -n '10.0.0.9:9876' -b 10.0.0.1:10911 -t 'eu-orders' -r 8 -w 8 -p 6",
		grow.Mend(at, target))
	anew := replica.Remains{
		Copies: true,
		Unseen: []string{"a"},
		Misplaced: []replica.CopiesOf{
			{Target: lane.Queue{Broker: "x", ID: 0}, Source: lane.Queue{Broker: "b", ID: 0}},
			{Target: lane.Queue{Broker: "x", ID: 1}, Source: lane.Queue{Broker: "b", ID: 1}},
		},
	}
	assert.Contains(t, anew.Cause(source, target),
		"copies of source queue b/0 lie in target queue x/0, which is another lane's by now, and 1 such queues more")
	assert.Contains(t, anew.Mend(at, target),
		"mqadmin deleteTopic -n '10.0.0.9:9876' -c C5 -t 'eu-orders' && "+
			"mqadmin resetOffsetByTime -n '10.0.0.8:9876' -g rocketshift-x -t 'orders' -s 0;")
}
