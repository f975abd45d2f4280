package activities

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/plan"
)

func TestTargetsGrowWherePairsOfQueuesStay(t *testing.T) {
	for _, test := range []struct{ source, target, grown, want counts }{
		{counts{"a": 2}, counts{"x": 2}, counts{"a": 5}, counts{"x": 5}},
		{counts{"a": 4}, counts{"x": 2, "y": 2}, counts{"a": 5}, counts{"x": 2, "y": 3}},
		{counts{"a": 2, "b": 2}, counts{"x": 2, "y": 2}, counts{"a": 3, "b": 3}, counts{"x": 3, "y": 3}},
		{counts{"a": 2, "b": 2}, counts{"x": 2, "y": 2}, counts{"a": 3, "b": 2}, counts{"x": 3, "y": 2}},
		{counts{"a": 2, "b": 2}, counts{"x": 4}, counts{"a": 2, "b": 4}, counts{"x": 6}},
		// b's first would be another one's pair
		{counts{"a": 2, "b": 2}, counts{"x": 4}, counts{"a": 3, "b": 3}, nil},
		{counts{"a": 3, "b": 1}, counts{"x": 2, "y": 2}, counts{"a": 4, "b": 2}, nil}, // a/2 is y/0's
		{counts{"a": 2}, counts{"x": 2}, counts{"a": 2, "b": 2}, counts{"x": 4}},      // a broker that comes last
		{counts{"b": 2}, counts{"x": 2}, counts{"a": 2, "b": 2}, nil},                 // and one that comes first
		{counts{"a": 2, "b": 2}, counts{"x": 2, "y": 2}, counts{"a": 1, "b": 3}, nil}, // fewer
		{counts{"a": 1, "b": 1}, counts{"x": 1, "y": 1}, counts{"a": 1, "b": 1}, counts{"x": 1, "y": 1}},
	} {
		got, stays := paired{test.source, test.target}.grown(test.grown)
		assert.Equal(t, test.want != nil, stays, "%+v", test)
		assert.Equal(t, test.want, got, "%+v", test)
	}
}

func TestNoQueueThatGrewChangesItsPair(t *testing.T) {
	some := func(brokers string, atLeast counts) counts {
		c := counts{}
		for _, b := range brokers {
			c[string(b)] = atLeast[string(b)] + rand.IntN(3)
		}
		return c
	}
	grown := 0
	for range 5000 {
		source := some("abc"[:1+rand.IntN(3)], nil)
		p := paired{source, spreadOver(source.sum(), "xyz"[:1+rand.IntN(3)])}
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
func spreadOver(n int, brokers string) counts {
	shares := counts{}
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
			made := counts{}
			for broker, config := range want {
				assert.Equal(t, config.ReadQueues, config.WriteQueues)
				made[broker] = config.ReadQueues
			}
			assert.Equal(t, spreadOver(n+1, brokers), made)
		}
	}
}
