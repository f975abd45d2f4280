// Command rocketshift-demo plays a whole migration on this machine: a real 4.9.7 cluster with
// running applications moves to a real 5.x cluster, and the applications' own ledgers say whether
// anybody was harmed. `make demo` builds what it needs.
//
// The last line of standard output is the verdict as JSON. Exit code 0 means: nothing lost,
// duplicated or out of order, and the migration is done.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"rocketshift/demo/driver"
	"rocketshift/internal/lab"
	"rocketshift/internal/version"
	"rocketshift/plan"
)

const (
	programName = "rocketshift-demo"
	usage       = `rocketshift-demo plays a whole migration on this machine, and starts what a migration by hand begins with.

Usage:
  rocketshift-demo [flags]                          the whole demo, see docs/run-the-demo.md
  rocketshift-demo source start [flags]             a 4.x cluster with applications at work, in the background
  rocketshift-demo source release NAME-SERVERS      restart these applications with other name servers
  rocketshift-demo source stop                      end all of that
  rocketshift-demo --help | --version

Flags of the demo:
`
)

func main() {
	if version.Answer(os.Stdout, programName, help(), os.Args[1:]) {
		return
	}
	// The handler stays until the end: a second Ctrl-C must not leave processes running.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, programName+":", err)
		os.Exit(1)
	}
}

var errHarm = errors.New("messages were lost, duplicated or out of order")

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "source" {
		return runSource(ctx, args[1:])
	}
	o, err := options(args, os.Getenv)
	if err != nil {
		return err
	}
	if o.Root, err = lab.Root(); err != nil {
		return err
	}
	o.Out = os.Stdout
	result, err := driver.Run(ctx, o)
	if err != nil {
		return err
	}
	line, err := json.Marshal(result.Verdict)
	if err != nil {
		return err
	}
	fmt.Println(string(line))
	if !result.Verdict.Clean() {
		return errHarm
	}
	return nil
}

// flags are those of the demo; kill is the value of -kill-worker-during.
func flags(o *driver.Options, getenv func(string) string) (f *flag.FlagSet, kill *string) {
	f = flag.NewFlagSet(programName, flag.ContinueOnError)
	f.StringVar(&o.Approve, "approve", getenv("APPROVE"), "who approves: auto (default; the demo itself) or me")
	f.StringVar(&o.Name, "name", "demo", "name of the migration and of the run's folder below .run")
	f.StringVar(&o.Traffic, "traffic", getenv("TRAFFIC"),
		"how applications come to the target: release (default) or gateway")
	f.Float64Var(&o.Rate, "rate", 30, "messages a second of each producer")
	f.IntVar(&o.History, "history", 24_000, "messages that are there before the migration")
	f.BoolVar(&o.Keep, "keep", false, "leave everything running at the end, until Ctrl-C")
	f.IntVar(&o.BackAt, "back-at", 0, "ask to go back when the step of this percentage soaks; 0 goes to the end")
	kill = f.String("kill-worker-during", "",
		"stages, separated by commas, during which the worker is killed by kill -9")
	return f, kill
}

// help lists the flags too.
func help() string {
	text := strings.Builder{}
	text.WriteString(usage)
	var o driver.Options
	f, _ := flags(&o, func(string) string { return "" })
	f.SetOutput(&text)
	f.PrintDefaults()
	return text.String()
}

func options(args []string, getenv func(string) string) (driver.Options, error) {
	var o driver.Options
	f, kill := flags(&o, getenv)
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if *kill != "" {
		o.KillWorkerDuring = strings.Split(*kill, ",")
	}
	if o.Traffic != "" && o.Traffic != plan.ModeRelease && o.Traffic != plan.ModeGateway {
		return o, fmt.Errorf("TRAFFIC=%q: allowed: %s, %s", o.Traffic, plan.ModeRelease, plan.ModeGateway)
	}
	if o.Approve != "" && o.Approve != driver.ApproveAuto && o.Approve != driver.ApproveMe {
		return o, fmt.Errorf("APPROVE=%q: allowed: %s, %s", o.Approve, driver.ApproveAuto, driver.ApproveMe)
	}
	return o, nil
}
