// Command gateway measures what a gateway costs a producer: the same load straight to a broker, through the gateway, and through RocketMQ's
// own 5.x proxy, in one run.
//
//	go run ./bench/gateway -rounds 2 -threads 16
//
// It prints a line of JSON for each measurement. The gateway is a process of its own, whose processor time is read before and after.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// options are what is measured.
type options struct {
	ways          []string
	rounds        int
	threads, body int
	warm, measure int // seconds
	rate          int // messages a second; 0 is as fast as it goes
	version       string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == gatewayCommand {
		if err := serve(ctx, os.Args[2:], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "gateway:", err)
			os.Exit(1)
		}
		return
	}
	o, err := parse(os.Args[1:], os.Stderr)
	if err == nil {
		err = run(ctx, o, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/gateway:", err)
		os.Exit(1)
	}
}

func parse(args []string, out io.Writer) (options, error) {
	f := flag.NewFlagSet("bench/gateway", flag.ContinueOnError)
	f.SetOutput(out)
	var o options
	ways := f.String("way", "direct,gateway,proxy", "ways to the broker, separated by commas")
	f.IntVar(&o.rounds, "rounds", 2, "how often each way is measured, in turns")
	f.IntVar(&o.threads, "threads", 16, "threads that send")
	f.IntVar(&o.body, "body", 1024, "bytes of a message")
	f.IntVar(&o.warm, "warm", 10, "seconds before measuring")
	f.IntVar(&o.measure, "measure", 15, "seconds to measure")
	f.IntVar(&o.rate, "rate", 0, "messages a second; 0 is as fast as it goes")
	f.StringVar(&o.version, "version", "5.3.3", "of the broker; the proxy is there from 5.0 on")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.ways = strings.Split(*ways, ",")
	if o.rounds < 1 || o.threads < 1 || o.body < 1 || o.warm < 0 || o.measure < 1 || o.rate < 0 {
		return o, fmt.Errorf("rounds, threads, body and measure must be at least 1, warm and rate at least 0")
	}
	return o, nil
}

// measured is one line of the result.
type measured struct {
	Way       string  `json:"way"`
	Round     int     `json:"round"`
	Messages  int     `json:"messages"`
	PerSecond float64 `json:"perSecond"`
	P50Ms     float64 `json:"p50Ms"`
	P99Ms     float64 `json:"p99Ms"`
	Errors    int     `json:"errors"`
	// CPU of what stands between producer and broker, of the broker, and of the producer, in seconds per million messages.
	HopCPU    float64 `json:"hopCpuSecondsPerMillion"`
	BrokerCPU float64 `json:"brokerCpuSecondsPerMillion"`
	ClientCPU float64 `json:"clientCpuSecondsPerMillion"`
}

func run(ctx context.Context, o options, out io.Writer) error {
	c, end, err := startCourse(ctx, o)
	if err != nil {
		return err
	}
	defer func() { _ = end() }()
	for round := 1; round <= o.rounds; round++ {
		for _, way := range o.ways {
			m, err := c.run(ctx, way, round)
			if err != nil {
				return fmt.Errorf("%s: %w", way, err)
			}
			if err := json.NewEncoder(out).Encode(m); err != nil {
				return err
			}
		}
	}
	return nil
}

func source(root string) string { return filepath.Join(root, "bench", "gateway", "Load.java") }
