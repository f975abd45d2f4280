package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"rocketshift/demo/driver"
	"rocketshift/internal/lab"
)

const sourceUsage = "want source start, source stop, or source release HOST:PORT[,HOST:PORT]; " +
	"see rocketshift-demo --help"

// gatewayPort is that of the gateway's name server, beside the source's own on the same machine.
const gatewayPort = driver.SourcePort + 1

// runSource starts, releases and stops what a migration by hand begins with.
func runSource(ctx context.Context, args []string) error {
	root, err := lab.Root()
	if err != nil {
		return err
	}
	s := driver.Source{Root: root, Out: os.Stdout}
	switch {
	case len(args) > 0 && args[0] == "start":
		if err := startFlags(&s, args[1:]); err != nil {
			return err
		}
		return startSource(ctx, s)
	case len(args) == 2 && args[0] == "release":
		servers, err := nameServers(args[1])
		if err != nil {
			return err
		}
		return s.Release(ctx, servers)
	case len(args) == 1 && args[0] == "stop":
		_, err := s.Stop(ctx)
		return err
	}
	return errors.New(sourceUsage)
}

func startFlags(s *driver.Source, args []string) error {
	f := flag.NewFlagSet(programName+" source start", flag.ContinueOnError)
	f.IntVar(&s.Port, "port", driver.SourcePort, "port of the name server; the README's plan has the default")
	f.Float64Var(&s.Rate, "rate", 0, "messages a second of each producer; 2 if absent")
	f.IntVar(&s.History, "history", 0, "messages that are there at first; 24000 if absent")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("%q: %s", f.Args(), sourceUsage)
	}
	return nil
}

// nameServers reads addresses that are separated by commas.
func nameServers(text string) ([]string, error) {
	servers := strings.Split(text, ",")
	for _, server := range servers {
		host, port, err := net.SplitHostPort(server)
		if _, number := strconv.ParseUint(port, 10, 16); err != nil || host == "" || number != nil {
			return nil, fmt.Errorf("%q is no name server: want HOST:PORT, such as 127.0.0.1:%d", server, gatewayPort)
		}
	}
	return servers, nil
}

func startSource(ctx context.Context, s driver.Source) error {
	nameServer, err := s.Start(ctx)
	if err != nil {
		return err
	}
	tellNext(s.Out, nameServer)
	return nil
}

// tellNext prints the README's way by hand from here on.
func tellNext(out io.Writer, nameServer string) {
	fmt.Fprintf(out, `
Applications send and read at the name server %[1]s. What comes next, each in a terminal of its own:

  export ROCKETSHIFT_GATEWAY_TOKEN=only-for-this-trial    # in each of them
  make temporal
  bin/rocketshift-worker
  bin/rocketshift-gateway --source %[1]s --name-server-port %[2]d --listen 127.0.0.1 --advertise 127.0.0.1

Then bring the applications behind the gateway, and migrate them:

  make source-release AT=127.0.0.1:%[2]d
  bin/rocketshift doctor
  bin/rocketshift start -f docs/examples/orders-2026.yaml
  bin/rocketshift status orders-2026 --watch              # says what is waited for, and the command that answers

At the end:

  make source-stop
  bin/rocketshift targets remove orders-2026
`, nameServer, gatewayPort)
}
