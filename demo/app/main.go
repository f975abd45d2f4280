// Command rocketshift-demo-app is an application that uses RocketMQ 4.x through the stock client of
// its time (rocketmq-client-go v2.1.2) and knows nothing of a migration. A release pipeline stops
// it by SIGTERM and starts it again with other name servers, as it would with any application.
//
//	rocketshift-demo-app produce   sends at a rate; its ledger has what was acknowledged
//	rocketshift-demo-app consume   reads as a group's member; its ledger has each delivery
//
// Both print one line that begins with "ready" when they are at work, and log to standard error.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/apache/rocketmq-client-go/v2/rlog"

	"rocketshift/internal/version"
)

const (
	programName = "rocketshift-demo-app"
	usage       = "usage: rocketshift-demo-app produce|consume -name-servers HOST:PORT[,...] -ledger FILE [flags]; " +
		"produce -h and consume -h list them"
	help = `rocketshift-demo-app is an application that uses RocketMQ 4.x through the stock client of its time.

Usage:
  rocketshift-demo-app produce -name-servers HOST:PORT[,...] -ledger FILE -topic T -producer NAME [flags]
  rocketshift-demo-app consume -name-servers HOST:PORT[,...] -ledger FILE -group G -topics T[,...] [flags]
  rocketshift-demo-app produce -h | consume -h
  rocketshift-demo-app --help | --version
`
)

func main() {
	if version.Answer(os.Stdout, programName, help, os.Args[1:]) {
		return
	}
	log.SetFlags(log.Ltime | log.Lmicroseconds)
	rlog.SetLogLevel("warn")
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, programName+":", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%s", usage)
	}
	switch args[0] {
	case "produce":
		o, err := produceFlags(args[1:])
		if err != nil {
			return err
		}
		return produce(ctx, o)
	case "consume":
		o, err := consumeFlags(args[1:])
		if err != nil {
			return err
		}
		return consume(ctx, o)
	}
	return fmt.Errorf("unknown command %q; %s", args[0], usage)
}

// common is what both kinds of applications are told.
type common struct {
	nameServers []string
	ledger      string
	instance    string
}

// flags adds the common flags to a set; the returned function checks them after parsing.
func (c *common) flags(f *flag.FlagSet) func() error {
	servers := f.String("name-servers", "", "name servers, separated by commas")
	f.StringVar(&c.ledger, "ledger", "", "file that outcomes are appended to")
	f.StringVar(&c.instance, "instance", fmt.Sprintf("demo-%d", os.Getpid()), "client instance name")
	return func() error {
		if *servers == "" || c.ledger == "" {
			return fmt.Errorf("-name-servers and -ledger are needed; %s", usage)
		}
		c.nameServers = strings.Split(*servers, ",")
		return nil
	}
}
