package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"rocketshift/activities"
	"rocketshift/workflows"
)

const (
	// stopTimeout lets lanes checkpoint when the worker is asked to end.
	stopTimeout = 30 * time.Second
	// heartbeatThrottle caps how seldom a heartbeat is sent; the activity's own timeout (0.8 of it) governs below that.
	heartbeatThrottle = 4 * time.Minute
	// connectTimeout bounds the first contact, so that a wrong address is said instead of waited for.
	connectTimeout = 15 * time.Second
)

// run connects, registers and polls until ctx ends. More interceptors are those of tests: they stand
// between an activity and what the worker itself has there.
func run(
	ctx context.Context, logger *slog.Logger, out io.Writer, getenv func(string) string,
	more ...interceptor.WorkerInterceptor,
) error {
	roles, err := parseRoles(getenv("ROCKETSHIFT_ROLES"))
	if err != nil {
		return err
	}
	settings, err := readSettings(getenv)
	if err != nil {
		return err
	}
	c, options, err := connect(ctx, logger)
	if err != nil {
		return err
	}
	defer c.Close()
	settings.Observed = &activities.Observed{}
	if err := serveMetrics(ctx, logger, getenv("ROCKETSHIFT_METRICS"), settings.Observed); err != nil {
		return err
	}
	settings.Shares = &activities.Shares{}
	settings.Clusters = activities.NewClusters()
	defer settings.Clusters.Close()
	workflows.UseSearchAttributes(ensureAttributes(ctx, c, options.Namespace, logger))
	var running []worker.Worker
	defer func() {
		for _, w := range running {
			w.Stop()
		}
	}()
	if slices.Contains(roles, roleData) {
		go watchWorkers(ctx, logger, c, options, settings.Shares)
	}
	for _, role := range roles {
		w := build(c, role, settings, more...)
		if err := w.Start(); err != nil {
			return fmt.Errorf("role %s: start polling: %w", role, err)
		}
		running = append(running, w)
	}
	fmt.Fprintf(out, "worker ready: Temporal %s, roles %s, home %s\n", options.HostPort, strings.Join(roles, ","), settings.Root)
	<-ctx.Done()
	return nil
}

func connect(ctx context.Context, logger *slog.Logger) (client.Client, client.Options, error) {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return nil, options, fmt.Errorf("read TEMPORAL_* settings: %w", err)
	}
	if options.HostPort == "" {
		options.HostPort = client.DefaultHostPort
	}
	if options.Namespace == "" {
		options.Namespace = client.DefaultNamespace
	}
	if options.Identity == "" {
		host, _ := os.Hostname()
		options.Identity = fmt.Sprintf("%d@%s", os.Getpid(), host)
	}
	options.Logger = log.NewStructuredLogger(logger)
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, options, fmt.Errorf("temporal at %s does not answer: %w; start it (bin/temporal server start-dev) or set TEMPORAL_ADDRESS", options.HostPort, err)
	}
	return c, options, nil
}

// build makes the worker of one role: control runs workflows and short activities, data runs what stays next to the brokers.
func build(
	c client.Client, role string, s activities.Settings, more ...interceptor.WorkerInterceptor,
) worker.Worker {
	options := worker.Options{
		WorkerStopTimeout: stopTimeout, MaxHeartbeatThrottleInterval: heartbeatThrottle, DisableRegistrationAliasing: true,
	}
	queue := workflows.ControlTaskQueue
	switch role {
	case roleControl:
		options.Interceptors = []interceptor.WorkerInterceptor{&pulse{}}
	case roleData: // its activities beat by their progress
		options.Interceptors = []interceptor.WorkerInterceptor{&watch{server: temporalServer{c}, pause: lookEvery, calm: calm}}
		queue = workflows.DataTaskQueue
		options.DisableWorkflowWorker = true
	}
	options.Interceptors = append(options.Interceptors, more...)
	w := worker.New(c, queue, options)
	if role == roleControl {
		workflows.Register(w)
	}
	for _, a := range []any{
		activities.NewAssess(s), activities.NewPurchase(s), activities.NewMetadata(s), activities.NewReplication(s),
		activities.NewOffsets(s), activities.NewVerifier(s), activities.NewTraffic(s), activities.NewReturns(s), activities.NewGateways(s),
		activities.NewLedgers(s), activities.NewReports(s),
	} {
		w.RegisterActivity(a)
	}
	return w
}
