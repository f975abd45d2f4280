package gateway

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"rocketshift/internal/gateway/metrics"
)

// Metrics is what Prometheus is told of the gateway: a registry of its own, as a process may have
// several gateways.
func (g *Gateway) Metrics() *prometheus.Registry {
	all := prometheus.NewRegistry()
	all.MustRegister(g.collectors()...)
	return all
}

// collectors are all that tell of the gateway. What another concern counts has a collector here.
func (g *Gateway) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		metrics.NewCollector(&g.counts, g.now),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	}
}

// now is how the gateway stands.
func (g *Gateway) now() metrics.Now {
	_, doubt := g.underWay()
	n := metrics.Now{
		Epoch: g.moves.epoch.Load(), OnTarget: g.authority() == target,
		InDoubt: doubt, Fenced: g.fenced.Load(),
		Panics: g.panics.Load(), Signatures: g.refusedSignatures.Load(),
		StateErrors: g.state.failures.Load(),
	}
	at := g.Bounds()
	n.Reached, n.MemoryLimit, n.MemoryFixed, n.MemoryHeld, n.Waiting = at.Reached, at.Limit, at.Fixed, at.Held, int64(at.Waiting)
	g.mu.Lock()
	n.Sessions = len(g.sessions)
	g.mu.Unlock()
	for _, t := range g.topics.all() {
		for _, q := range t.all() {
			n.Homes[q.at()]++
		}
	}
	for _, one := range g.groups.all() {
		for _, v := range one.all() {
			n.Views[v.reads()]++
		}
	}
	return n
}

// classOf is what a request is about, for counting.
func classOf(code int) metrics.Class {
	switch code {
	case codeSendV2, codeSend, codeSendBatch:
		return metrics.Send
	case codePull, codeLitePull:
		return metrics.Pull
	case codeQueryOffset, codeUpdateOffset:
		return metrics.Position
	case codeMaxOffset, codeMinOffset:
		return metrics.Offset
	case codeMembers, codeHeartbeat, codeUnregister:
		return metrics.Member
	case codeLock, codeUnlock:
		return metrics.Lock
	case codeSendBack:
		return metrics.SendBack
	case codeEndTransaction:
		return metrics.Transaction
	case codeRoute, codeClusterInfo, codeTopics, codeTopicsOfCluster, codeSystemTopics,
		codeKVGet, codeKVList:
		return metrics.Names
	}
	return metrics.Other
}
