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
	"rocketshift/api"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/shards"
	"rocketshift/workflows"
)

const (
	// heartbeatThrottle caps how seldom a heartbeat is sent: no sooner than 0.8 of an activity's
	// own time-out, of which SyncOffsets has the longest.
	heartbeatThrottle = 24 * time.Minute
	// connectTimeout bounds the first contact, so that a wrong address is an error soon.
	connectTimeout = 15 * time.Second
)

// run connects, registers and polls until ctx ends. more are interceptors of tests, between an
// activity and the worker's own interceptors.
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
	deployment, err := versioning(getenv)
	if err != nil {
		return err
	}
	c, options, err := dial(ctx, logger)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := checkStore(ctx, settings); err != nil {
		logger.Warn("migrations of thousands of topics or groups will wait for the store", "error", err)
	}
	settings.Observed = &shards.Observed{}
	if err := serveMetrics(ctx, logger, getenv("ROCKETSHIFT_METRICS"), settings.Observed); err != nil {
		return err
	}
	settings.Shares = &shards.Shares{}
	settings.Wanted = stillWanted(temporalServer{c})
	settings.Clusters = connect.NewPool()
	defer settings.Clusters.Close()
	attributes := ensureAttributes(ctx, c, options.Namespace, logger)
	var running []worker.Worker
	defer func() { stopAll(logger, running, stopBound) }()
	if slices.Contains(roles, roleData) {
		go watchWorkers(ctx, logger, c, options, settings.Shares)
	}
	for _, role := range roles {
		w := build(c, role, settings, deployment, attributes, more...)
		if err := w.Start(); err != nil {
			return fmt.Errorf("role %s: start polling: %w", role, err)
		}
		running = append(running, w)
	}
	fmt.Fprintf(out, "worker ready: Temporal %s, roles %s, home %s, store %s%s\n", options.HostPort,
		strings.Join(roles, ","), settings.Root, settings.Store, versionHint(deployment))
	<-ctx.Done()
	return nil
}

// checkStore checks whether the store can be used, in as short a time as a person waits at a start.
func checkStore(ctx context.Context, s activities.Settings) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return s.Store.Check(ctx)
}

func dial(ctx context.Context, logger *slog.Logger) (client.Client, client.Options, error) {
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
		return nil, options, fmt.Errorf(
			"temporal at %s does not answer: %w; start it (bin/temporal server start-dev) or set TEMPORAL_ADDRESS",
			options.HostPort, err,
		)
	}
	return c, options, nil
}

// build makes the worker of one role: control runs workflows and short activities, data runs what
// stays next to the brokers.
func build(
	c client.Client, role string, s activities.Settings, d worker.DeploymentOptions, attributes bool,
	more ...interceptor.WorkerInterceptor,
) worker.Worker {
	queue, options := pollsWith(c, role, d)
	options.Interceptors = append(options.Interceptors, more...)
	w := worker.New(c, queue, options)
	if role == roleControl {
		workflows.Register(w, attributes)
	}
	for _, a := range []any{
		activities.NewAssess(s), activities.NewPurchase(s), activities.NewMetadata(s),
		activities.NewReplication(s), activities.NewOffsets(s), activities.NewVerifier(s),
		activities.NewTraffic(s), activities.NewReturns(s), activities.NewGateways(s), activities.NewLedgers(s),
		activities.NewReports(s), activities.NewPlans(),
	} {
		w.RegisterActivity(a)
	}
	return w
}

// pollsWith is the task queue of a role, and how its worker runs what it gets there.
func pollsWith(
	c client.Client, role string, d worker.DeploymentOptions,
) (queue string, options worker.Options) {
	options = worker.Options{
		WorkerStopTimeout: stopTimeout, MaxHeartbeatThrottleInterval: heartbeatThrottle,
		DisableRegistrationAliasing: true, DeploymentOptions: d,
	}
	ends := &cancellationWatcher{
		server:      temporalServer{c},
		which:       hearsLate,
		pause:       lookEvery,
		urgentPause: urgentPause,
	}
	if role == roleControl {
		options.Interceptors = []interceptor.WorkerInterceptor{&heartbeats{}, ends}
		return api.ControlTaskQueue, options
	}
	ends.which = hasHeartbeat // its activities send their progress as heartbeats
	options.Interceptors = []interceptor.WorkerInterceptor{ends}
	options.DisableWorkflowWorker = true
	return api.DataTaskQueue, options
}
