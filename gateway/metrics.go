package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rocketshift/internal/gateway"
	"rocketshift/internal/gateway/controlserver"
)

const (
	// defaultMetrics is where metrics and probes are served unless --metrics says otherwise. It is
	// this machine only: a container says 0.0.0.0:9465. The worker's are at the port before.
	defaultMetrics = "127.0.0.1:9465"
	// noMetrics is the value of --metrics that turns them off.
	noMetrics = "off"
)

// serveMetrics serves /metrics and probes until the context ends, and returns where; nowhere is "".
// Several gateways may share a machine: the port of the first one is taken, and the others go on
// without, unless somebody asked for just this address.
func serveMetrics(ctx context.Context, s settings, g *gateway.Gateway) (string, error) {
	if s.metrics == noMetrics {
		return "", nil
	}
	listener, err := s.Listeners.Listen("metrics", s.metrics)
	if err != nil && s.metrics != defaultMetrics {
		return "", fmt.Errorf("metrics at %s (--metrics): %w; give another host:port, or %s", s.metrics,
			err, noMetrics)
	}
	if err != nil {
		s.Log.Warn("no metrics: the address is taken; set --metrics to another host:port", "address",
			s.metrics, "cause", err)
		return "", nil
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(g.Metrics(), promhttp.HandlerOpts{}))
	mux.Handle("/", controlserver.HealthHandler(g))
	server := controlserver.NewHTTP(ctx, mux)
	go func() {
		at := controlserver.LimitCallers(listener, controlserver.MostWatchers)
		if err := server.Serve(at); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.Log.Warn("metrics are no longer served", "address", s.metrics, "cause", err)
		}
	}()
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return listener.Addr().String(), nil
}
