// Command rocketshift-worker runs the workflows and activities of migrations. It connects by
// TEMPORAL_* (contrib/envconfig), so the embedded server, a cluster of one's own and Temporal Cloud
// need no code; see docs/run-on-your-temporal.md.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"rocketshift/internal/printable"
	"rocketshift/internal/version"
)

func main() {
	args := os.Args[1:]
	if version.Answer(os.Stdout, programName, help, args) {
		return
	}
	if len(args) > 0 {
		fmt.Fprintf(os.Stderr, "%s: it takes no arguments, but %q: see %s --help\n", programName, args,
			programName)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	logger := slog.New(ordinaryEnds{slog.NewJSONHandler(printable.JSONTo(os.Stderr),
		&slog.HandlerOptions{Level: slog.LevelInfo})})
	if err := run(ctx, logger, os.Stdout, os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, programName+":", err)
		os.Exit(1)
	}
}
