package gateway

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"rocketshift/internal/gateway/metrics"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq/remoting"
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
		metrics.NewCollector(&g.clients.figures.counts, g.now),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	}
}

// now is how the gateway stands.
func (g *Gateway) now() metrics.Now {
	_, doubt := g.rounds.UnderWay()
	n := metrics.Now{
		Epoch: g.moves.epoch.Load(), OnTarget: g.table.Authority() == routing.Target,
		InDoubt: doubt, Fenced: g.lease.Fenced(),
		Panics: g.clients.figures.panics.Load(), Signatures: g.clients.figures.refusedSignatures.Load(),
		StateErrors: g.state.Failures.Load(), Kept: g.handover.kept(),
	}
	at := g.Bounds()
	n.Reached, n.MemoryLimit, n.MemoryFixed, n.MemoryHeld, n.Waiting = at.Reached, at.Limit, at.Fixed, at.Held, int64(
		at.Waiting,
	)
	g.clients.registry.mu.Lock()
	n.Sessions = len(g.clients.registry.sessions)
	g.clients.registry.mu.Unlock()
	for _, t := range g.table.Topics.All() {
		for _, q := range t.All() {
			n.Homes[q.At()]++
		}
	}
	for _, one := range g.table.Groups.All() {
		for _, v := range one.All() {
			n.Views[v.Reads()]++
		}
	}
	return n
}

// classOf is what a request is about, for counting.
func classOf(code int) metrics.Class {
	switch code {
	case remoting.CodeSendV2, remoting.CodeSend, remoting.CodeSendBatch:
		return metrics.Send
	case remoting.CodePull, remoting.CodeLitePull:
		return metrics.Pull
	case remoting.CodeQueryOffset, remoting.CodeUpdateOffset:
		return metrics.Position
	case remoting.CodeMaxOffset, remoting.CodeMinOffset:
		return metrics.Offset
	case remoting.CodeMembers, remoting.CodeHeartbeat, remoting.CodeUnregister:
		return metrics.Member
	case remoting.CodeLock, remoting.CodeUnlock:
		return metrics.Lock
	case remoting.CodeSendBack:
		return metrics.SendBack
	case remoting.CodeEndTransaction:
		return metrics.Transaction
	case remoting.CodeRoute,
		remoting.CodeClusterInfo,
		remoting.CodeTopicNames,
		remoting.CodeTopicsOfCluster,
		remoting.CodeSystemTopics,
		remoting.CodeKVGet,
		remoting.CodeKVList:
		return metrics.Names
	}
	return metrics.Other
}
