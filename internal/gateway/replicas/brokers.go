package replicas

import (
	"maps"
	"slices"
	"sync/atomic"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/rocketmq"
)

// clusterNames are the clusters of a side's brokers. Those of brokers that have gone stay.
type clusterNames struct {
	byBroker atomic.Pointer[map[string]string]
}

// Learn takes over what name servers say, and reports whether any of it is new.
func (c *clusterNames) Learn(nodes []rocketmq.Node) (changed bool) {
	all := map[string]string{}
	if before := c.byBroker.Load(); before != nil {
		maps.Copy(all, *before)
	}
	for _, n := range nodes {
		if store.IsName(n.Cluster) && all[n.Name] != n.Cluster {
			all[n.Name], changed = n.Cluster, true
		}
	}
	c.byBroker.Store(&all)
	return changed
}

// KnownClusters are the clusters of both sides' brokers as they were seen last; nil where none was.
func (bs *Sides) KnownClusters() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, on := range []routing.Side{routing.Source, routing.Target} {
		if known := bs.Clusters[on].byBroker.Load(); known != nil && len(*known) > 0 {
			all[on.String()] = *known
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// RecallClusters goes by the clusters of before a restart until name servers answer.
func (bs *Sides) RecallClusters(kept map[string]map[string]string) {
	for _, on := range []routing.Side{routing.Source, routing.Target} {
		if was := kept[on.String()]; len(was) > 0 {
			was = maps.Clone(was)
			bs.Clusters[on].byBroker.Store(&was)
		}
	}
}

// Of is the cluster of a broker; "" if it isn't known.
func (c *clusterNames) Of(broker string) string {
	if all := c.byBroker.Load(); all != nil {
		return (*all)[broker]
	}
	return ""
}

// Has reports whether a broker is of that cluster.
func (c *clusterNames) Has(cluster string) bool {
	if all := c.byBroker.Load(); all != nil {
		for _, name := range *all {
			if name == cluster {
				return true
			}
		}
	}
	return false
}

// Tag is the tag of a target broker.
func (bs *Sides) Tag(broker string) int64 {
	return TagOf(slices.Index(*bs.Targets.Load(), broker))
}

// Tagged is the target broker with that number.
func (bs *Sides) Tagged(number int) (broker string, known bool) {
	if all := *bs.Targets.Load(); number < len(all) {
		return all[number], true
	}
	return "", false
}

// Offsets in a target broker's commit log carry a tag on their way to clients: seven bits that no
// real offset has, since they count from 64 PiB on. They are the broker's number plus one in the
// list that the gateway keeps on disk, so that what a client brings back days later still finds its
// broker.
const (
	TagBits     = 56
	MostTargets = 127
)

// TagOf is the tag of the target broker of that number, to be put on its offsets.
func TagOf(number int) int64 { return int64(number+1) << TagBits }

// Untag takes the tag off an offset: number is -1 for an offset of the source.
func Untag(offset int64) (number int, real int64) {
	return int(offset>>TagBits)&MostTargets - 1, offset &^ (MostTargets << TagBits)
}
