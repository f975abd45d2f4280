// Command rocketshift-gateway stands between applications and the clusters of a migration, and
// looks to them like the source. See docs/run-a-gateway.md.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"rocketshift/internal/gateway/keeper"
	"rocketshift/internal/gateway/memory"
)

func main() {
	if keeper.Asked(os.Args) {
		os.Exit(keeper.Main(os.Args))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	memory.Frugal()
	if err := command(os.Getenv).ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "rocketshift-gateway:", err)
		os.Exit(1)
	}
}
