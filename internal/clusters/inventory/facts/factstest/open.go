// Package factstest gives tests of areas a look at a source that answers by the wire.
package factstest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remotingtest"
)

// Open opens one side of a fake until the test ends.
func Open(t testing.TB, side api.Side, c *remotingtest.Cluster) *clusters.One {
	t.Helper()
	client := rocketmq.NewClient(rocketmq.Options{})
	t.Cleanup(client.Close)
	return &clusters.One{Cluster: rocketmq.NewCluster(client, []string{c.Start(t)}), Side: side}
}

// Sides opens fakes of both sides; target is nil where there is none.
func Sides(t testing.TB, source, target *remotingtest.Cluster) facts.Sides {
	t.Helper()
	s := facts.Sides{Source: Open(t, api.Source, source), Tell: func(string) {}}
	if target != nil {
		s.Target = Open(t, api.Target, target)
	}
	return s
}

// Tables fills in what brokers of an open side list: brokers, topics, groups and positions.
func Tables(t testing.TB, c *clusters.One, seen *facts.Facts) {
	t.Helper()
	ctx := t.Context()
	var err error
	seen.Brokers, err = c.FindBrokers(ctx)
	require.NoError(t, err)
	seen.Topics, err = c.TopicTable(ctx, seen.Brokers, nil)
	require.NoError(t, err)
	seen.Groups, err = c.GroupTable(ctx, seen.Brokers)
	require.NoError(t, err)
	seen.Positions, err = c.Positions(ctx, seen.Brokers)
	require.NoError(t, err)
}

// IDs are the ids of findings, in their order.
func IDs(all []api.Finding) (ids []string) {
	for _, f := range all {
		ids = append(ids, f.ID)
	}
	return ids
}
