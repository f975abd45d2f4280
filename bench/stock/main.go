// Command stock measures what people write by hand with stock SDKs to copy a topic, from a real
// 4.9.7 broker to a real 5.3.3 broker:
//
//	java-single      push consumer, each message sent by a synchronous send
//	java-batch       push consumer with batches of 32, each sent as a batch
//	client-go-batch  the same with client-go v2
//	rocketshift      package replicator
//
// It prints one line of JSON for each run: rate, and processor time of the copier and of both
// clusters. Rates depend on what else is running, so ratios come from ways and rounds of one call:
// all run on the same clusters, in turn, each on a topic of its own with the same content. Servers
// get faster for some rounds, as their JVMs compile what is asked for: leave out the first ones.
// Every other round goes backwards, so that no way always meets the warmer servers. Processor time
// of servers needs Linux.
//
//	go run ./bench/stock -way java-batch,client-go-batch -rounds 3
//
// Exit code 1 means that a way died; its line says why.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"rocketshift/internal/lab"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == copyCommand {
		exit(copyUntil(os.Stdin, os.Stdout, os.Args[2:]))
	}
	// The handler stays until the end: a second Ctrl-C must not leave processes behind.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := bench(ctx, os.Stdout, os.Args[1:])
	stop()
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "stock:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

type options struct {
	load
	limits
	ways   []string
	rounds int
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("stock", flag.ContinueOnError)
	names := f.String("way", "client-go-batch",
		"ways to run, separated by commas: java-single, java-batch, client-go-batch")
	f.IntVar(&o.rounds, "rounds", 1, "how often all ways run, in turn and back")
	f.IntVar(&o.messages, "messages", 20_000, "messages to copy")
	f.IntVar(&o.queues, "queues", 8, "queues of the topic, on both sides")
	f.IntVar(&o.body, "body", 1024, "bytes of a message's body")
	f.IntVar(&o.threads, "threads", 16, "callbacks of the consumer that run at once")
	f.DurationVar(&o.atMost, "for", 2*time.Minute, "how long a way may run; what it has copied by then is counted")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.ways = strings.Split(*names, ",")
	if f.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", f.Arg(0))
	}
	if o.rounds < 1 || o.messages < 1 || o.queues < 1 || o.body < numberSize || o.threads < 1 || o.atMost <= 0 {
		return o, fmt.Errorf("all numbers must be positive, and -body at least %d", numberSize)
	}
	return o, nil
}

// bench runs the ways in turn and prints a line for each run. A way that dies doesn't keep the
// others from running.
func bench(ctx context.Context, out io.Writer, args []string) (failed error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	root, err := lab.Root()
	if err != nil {
		return err
	}
	files, err := lab.FindFiles(root)
	if err != nil {
		return err
	}
	dir, err := newDir(root)
	if err != nil {
		return err
	}
	defer func() {
		if failed == nil || ctx.Err() != nil { // the logs of a way that died stay
			failed = errors.Join(failed, os.RemoveAll(dir))
		}
	}()
	var ways []way
	for _, name := range o.ways {
		w, err := find(waysOf(root, files, dir), name)
		if err != nil {
			return err
		}
		ways = append(ways, w)
	}
	c, end, err := startCourse(ctx, files, dir, o.load)
	if err != nil {
		return err
	}
	return errors.Join(c.runAll(ctx, out, ways, o), end())
}

func (c *course) runAll(ctx context.Context, out io.Writer, ways []way, o options) error {
	if err := c.warmUp(ctx); err != nil {
		return err
	}
	var errs []error
	for round := 1; round <= o.rounds; round++ {
		for _, w := range ways {
			measured, err := c.run(ctx, w, round, o.limits)
			errs = append(errs, err)
			if err := json.NewEncoder(out).Encode(measured); err != nil {
				return fmt.Errorf("print the result: %w", err)
			}
			if ctx.Err() != nil {
				return errors.Join(errs...)
			}
		}
		slices.Reverse(ways)
	}
	return errors.Join(errs...)
}
