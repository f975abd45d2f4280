package metadata

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/clusters"
	"rocketshift/plan"
)

func TestTargetsGrowWherePairsOfQueuesStay(t *testing.T) {
	for _, test := range []struct{ source, target, grown, want clusters.Counts }{
		{clusters.Counts{"a": 2}, clusters.Counts{"x": 2}, clusters.Counts{"a": 5}, clusters.Counts{"x": 5}},
		{clusters.Counts{"a": 4}, clusters.Counts{"x": 2, "y": 2}, clusters.Counts{"a": 5}, clusters.Counts{"x": 2, "y": 3}},
		{clusters.Counts{"a": 2, "b": 2}, clusters.Counts{"x": 2, "y": 2}, clusters.Counts{"a": 3, "b": 3}, clusters.Counts{"x": 3, "y": 3}},
		{clusters.Counts{"a": 2, "b": 2}, clusters.Counts{"x": 2, "y": 2}, clusters.Counts{"a": 3, "b": 2}, clusters.Counts{"x": 3, "y": 2}},
		{clusters.Counts{"a": 2, "b": 2}, clusters.Counts{"x": 4}, clusters.Counts{"a": 2, "b": 4}, clusters.Counts{"x": 6}},
		// b's first would be another one's pair
		{clusters.Counts{"a": 2, "b": 2}, clusters.Counts{"x": 4}, clusters.Counts{"a": 3, "b": 3}, nil},
		// a/2 is y/0's
		{clusters.Counts{"a": 3, "b": 1}, clusters.Counts{"x": 2, "y": 2}, clusters.Counts{"a": 4, "b": 2}, nil},
		// a broker that comes last
		{clusters.Counts{"a": 2}, clusters.Counts{"x": 2}, clusters.Counts{"a": 2, "b": 2}, clusters.Counts{"x": 4}},
		// and one that comes first
		{clusters.Counts{"b": 2}, clusters.Counts{"x": 2}, clusters.Counts{"a": 2, "b": 2}, nil},
		// fewer
		{clusters.Counts{"a": 2, "b": 2}, clusters.Counts{"x": 2, "y": 2}, clusters.Counts{"a": 1, "b": 3}, nil},
		{clusters.Counts{"a": 1, "b": 1}, clusters.Counts{"x": 1, "y": 1}, clusters.Counts{"a": 1, "b": 1}, clusters.Counts{"x": 1, "y": 1}},
	} {
		got, stays := paired{test.source, test.target}.grown(test.grown)
		assert.Equal(t, test.want != nil, stays, "%+v", test)
		assert.Equal(t, test.want, got, "%+v", test)
	}
}

func TestNoQueueThatGrewChangesItsPair(t *testing.T) {
	some := func(brokers string, atLeast clusters.Counts) clusters.Counts {
		c := clusters.Counts{}
		for _, b := range brokers {
			c[string(b)] = atLeast[string(b)] + rand.IntN(3)
		}
		return c
	}
	grown := 0
	for range 5000 {
		source := some("abc"[:1+rand.IntN(3)], nil)
		p := paired{source, spreadOver(source.Sum(), "xyz"[:1+rand.IntN(3)])}
		next := some("abc"[:len(source)], source)
		want, stays := p.grown(next)
		if !stays {
			continue
		}
		grown++
		after := paired{next, want}.pairs()
		for from, to := range p.pairs() {
			if after[from] != to {
				t.Fatalf("%+v grown to %+v, %+v: %s was with %s, and is with %s", p, next, want, from, to, after[from])
			}
		}
	}
	assert.Greater(t, grown, 500)
}

// spreadOver is how earlier releases made topics.
func spreadOver(n int, brokers string) clusters.Counts {
	shares := clusters.Counts{}
	for i, b := range brokers {
		share := n / len(brokers)
		if i < n%len(brokers) {
			share++
		}
		if share > 0 {
			shares[string(b)] = share
		}
	}
	return shares
}

// Topics whose producers see all queues are made as before, so that migrations which run go on.
func TestTopicsThatProducersSeeWholeAreMadeAsEver(t *testing.T) {
	for n := 1; n < 40; n++ {
		for _, brokers := range []string{"x", "xy", "xyz", "wxyz"} {
			want, found := desiredTopic("orders", source(map[string][2]int{"a": {n, n}, "b": {1, 1}}),
				plan.TypeNormal, true, strings.Split(brokers, ""))
			assert.Nil(t, found)
			made := clusters.Counts{}
			for broker, config := range want {
				assert.Equal(t, config.ReadQueues, config.WriteQueues)
				made[broker] = config.ReadQueues
			}
			assert.Equal(t, spreadOver(n+1, brokers), made)
		}
	}
}
