// Archive makes the test servers start in half the time, see lab.Files.Archive. It is part of "make
// jars".
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"rocketshift/internal/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		// Nothing needs the archives.
		fmt.Fprintf(os.Stderr, "jars: servers will start slower, as their classes can't be archived: %v\n", err)
	}
}

func run(ctx context.Context) error {
	root, err := lab.Root()
	if err != nil {
		return err
	}
	files, err := lab.FindFiles(root)
	if err != nil {
		return err
	}
	versions, err := files.ServerVersions()
	if err != nil {
		return err
	}
	for _, version := range versions {
		written, err := files.Archive(ctx, version)
		if err != nil {
			return fmt.Errorf("RocketMQ %s: %w", version, err)
		}
		if written {
			fmt.Printf("jars: archived the classes of RocketMQ %s\n", version)
		}
	}
	return nil
}
