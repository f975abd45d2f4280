package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rocketshift/internal/shards"
	"rocketshift/replicator/lane"
)

// defaultMetrics is where metrics are served unless ROCKETSHIFT_METRICS says otherwise. It is this
// machine only: a container says 0.0.0.0:9464. The port is the one that OpenTelemetry's Prometheus
// exporters use.
const defaultMetrics = "127.0.0.1:9464"

// noMetrics is the value of ROCKETSHIFT_METRICS that turns them off.
const noMetrics = "off"

// serveMetrics serves /metrics until the context ends. Several workers may share a machine: the
// port of the first one is taken, and the others go on without, unless somebody asked for just this
// address.
func serveMetrics(ctx context.Context, logger *slog.Logger, address string, observed *shards.Observed) error {
	asked := address != ""
	if !asked {
		address = defaultMetrics
	}
	if address == noMetrics {
		return nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil && asked {
		return fmt.Errorf("metrics at %s (ROCKETSHIFT_METRICS): %w; give another host:port, or %s", address,
			err, noMetrics)
	}
	if err != nil {
		logger.Warn("no metrics: the address is taken; set ROCKETSHIFT_METRICS to another host:port", "address",
			address, "error", err)
		return nil
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(lanesCollector{observed})
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			logger.Warn("metrics are no longer served", "address", address, "error", err)
		}
	}()
	context.AfterFunc(ctx, func() { _ = server.Close() })
	logger.Info("metrics", "url", "http://"+listener.Addr().String()+"/metrics")
	return nil
}

// lanesCollector exports the lanes that run in this worker, by migration, direction and topic;
// never by queue.
type lanesCollector struct{ observed *shards.Observed }

var byTopic = []string{"migration", "direction", "topic"}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("rocketshift_"+name, help, labels, nil)
}

var (
	lanesDesc    = describe("lanes", "Lanes that run in this worker.", byTopic...)
	caughtUpDesc = describe("lanes_caught_up", "Lanes without lag.", byTopic...)
	faultsDesc   = describe("lanes_faulty", "Lanes that stopped with a fault and wait for an answer.", byTopic...)
	lagDesc      = describe("lag_messages", "Messages on the reading side that aren't copied yet.", byTopic...)
	ageDesc      = describe(
		"lag_seconds",
		"Age of the newest copied message of the lane that is furthest behind, 0 when all have caught up.",
		byTopic...)
	copiedDesc  = describe("copied_messages_total", "Messages copied by this worker.", byTopic...)
	bytesDesc   = describe("copied_bytes_total", "Bytes of bodies and properties copied by this worker.", byTopic...)
	batchesDesc = describe(
		"batches_total",
		"Batches sent; copied messages divided by it is the batch size.",
		byTopic...)
	sendingDesc = describe(
		"send_seconds_total",
		"Time spent waiting for answers to batches; divided by batches it is the send latency.",
		byTopic...)
	skippedDesc = describe("skipped_messages_total", "Messages that persons gave up.", byTopic...)
	straysDesc  = describe(
		"straggler_messages_total",
		"Messages that applications wrote on the side that they had left, copied to the other; rocketshift "+
			"lanes names the senders.",
		byTopic...)
	waitingDesc = describe("lanes_waiting",
		"1 while lanes of a source broker wait, such as for a broker that is down; rocketshift lanes says why.",
		"migration", "direction", "broker")
	slowedDesc = describe("lanes_slowed",
		"1 while something, such as a rate, holds the lanes of a source broker back.", "migration", "direction",
		"broker", "reason")
)

// Describe implements prometheus.Collector.
func (c lanesCollector) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, out) }

// Collect implements prometheus.Collector. Lanes of several source brokers add up.
func (c lanesCollector) Collect(out chan<- prometheus.Metric) {
	type key struct{ migration, direction, topic string }
	sums := map[key]lane.TopicProgress{}
	add := func(migration, direction string, topics []lane.TopicProgress) {
		for _, t := range topics {
			k := key{migration, direction, t.Topic}
			sums[k] = sums[k].Plus(t)
		}
	}
	both := func(migration string, p lane.Progress) {
		add(migration, forward, p.Topics)
		if p.Back != nil {
			add(migration, reverse, p.Back.Topics)
		}
	}
	for migration, p := range c.observed.Ended() {
		both(migration, p)
	}
	reasons := map[reason]bool{}
	for of, p := range c.observed.All() {
		both(of.Migration, p)
		note(reasons, of, forward, p)
		if p.Back != nil {
			note(reasons, of, reverse, *p.Back)
		}
	}
	for k, t := range sums {
		collectTopic(out, t, k.migration, k.direction, k.topic)
	}
	for r := range reasons {
		out <- prometheus.MustNewConstMetric(r.desc, prometheus.GaugeValue, 1, r.labels[:r.used]...)
	}
}

// The values of the label direction.
const (
	forward = "forward"
	reverse = "reverse"
)

// reason is why lanes of a broker aren't copying at full speed. The shards of a broker may have the
// same one.
type reason struct {
	desc   *prometheus.Desc
	labels [4]string
	used   int
}

func note(reasons map[reason]bool, of shards.LanesOf, direction string, p lane.Progress) {
	if p.Waiting != "" {
		reasons[reason{waitingDesc, [4]string{of.Migration, direction, of.Broker}, 3}] = true
	}
	if p.Slowed != "" { // without its numbers, or each of them would be a series of its own
		what, _, _ := strings.Cut(p.Slowed, ":")
		reasons[reason{slowedDesc, [4]string{of.Migration, direction, of.Broker, what}, 4}] = true
	}
}

func collectTopic(out chan<- prometheus.Metric, t lane.TopicProgress, labels ...string) {
	send := func(desc *prometheus.Desc, kind prometheus.ValueType, value float64) {
		out <- prometheus.MustNewConstMetric(desc, kind, value, labels...)
	}
	if t.Lanes > 0 { // else they run in another worker now, which says how they are
		send(lanesDesc, prometheus.GaugeValue, float64(t.Lanes))
		send(caughtUpDesc, prometheus.GaugeValue, float64(t.CaughtUp))
		send(faultsDesc, prometheus.GaugeValue, float64(t.Faults))
		send(lagDesc, prometheus.GaugeValue, float64(t.Lag))
		send(ageDesc, prometheus.GaugeValue, t.LagSeconds)
	}
	send(copiedDesc, prometheus.CounterValue, float64(t.Copied))
	send(bytesDesc, prometheus.CounterValue, float64(t.Bytes))
	send(batchesDesc, prometheus.CounterValue, float64(t.Batches))
	send(sendingDesc, prometheus.CounterValue, t.Sending)
	send(skippedDesc, prometheus.CounterValue, float64(t.Skipped))
	send(straysDesc, prometheus.CounterValue, float64(t.Stragglers))
}
