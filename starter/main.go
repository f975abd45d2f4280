// Command rocketshift is what people and release pipelines use: it checks plans, starts migrations,
// shows what they do and wait for, and answers them. It holds no state and talks to Temporal only,
// connected by TEMPORAL_* (contrib/envconfig) like the worker, so it runs anywhere from which
// Temporal can be reached. The exception is copy: it runs lanes itself, without Temporal.
//
// Each command is one file. Commands see Temporal through the small interface service (service.go);
// temporal*.go implement it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := newApp(os.Stdin, os.Stdout, os.Stderr, os.LookupEnv).run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
