// Package metadataapply is the command `rocketshift metadata apply`: it brings topics and groups to a
// cluster of 5.x. It needs no Temporal.
package metadataapply

import (
	"bufio"
	"context"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"rocketshift/api"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/failure"
	"rocketshift/internal/metadata/apply"
)

const long = `Brings topics, groups and keys of name servers to a cluster of 5.x: from another cluster (--from), or from a model in a file
(--file). It shows first what differs, and asks, or wants --yes. What is made is read back; the same command goes on where an
earlier one was cut off, and a second run changes nothing. Nothing is deleted. Topics get their message types from samples of
their messages, or from the model; topics and groups are made open, as no migration follows.

What the target has with other settings is refused, unless --conflicts says keep or change; nothing is changed then. Queues only get
more, and a topic that holds messages keeps its type.
Exit codes: 0 done, or nothing differs; 6 with --dry-run: something would be made or changed; 7 the target has objects with other
settings; 1 and 2 it couldn't be done.

Keys come from the environment: with --credentials OLD they are OLD_ACCESS_KEY and OLD_SECRET_KEY.`

const example = `  rocketshift metadata apply --from 10.0.0.1:9876 --to 10.0.9.1:9876 --dry-run
  rocketshift metadata apply --file cluster.yaml --to 10.0.9.1:9876 --conflicts change --yes`

// Terminal is what the command touches.
type Terminal struct {
	Stdin     io.Reader
	LookupEnv func(string) (string, bool)
	Now       func() time.Time
	JSON      func() bool // -o json was asked for
	Document  func(document any)
	Say, Warn func(format string, args ...any)
	Exit      func(code int) // with which the command ends, if it isn't an error
}

// pause between two lines about how far it is keeps logs readable.
const pause = 5 * time.Second

// Command is apply.
func Command(a Terminal) *cobra.Command {
	var f apply.Flags
	var dry, yes bool
	c := &cobra.Command{
		Use:   "apply (--from NAMESERVERS | --file MODEL) --to NAMESERVERS",
		Short: "Bring topics and groups to a cluster of 5.x, from another cluster or from a file",
		Long:  long, Example: example, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.run(c.Context(), f, dry, yes) },
	}
	flags := c.Flags()
	flags.StringSliceVar(
		&f.From,
		"from",
		nil,
		"name servers of the cluster to read, host:port, several separated by commas",
	)
	flags.StringVar(&f.File, "file", "", "instead of --from, a model, YAML or JSON")
	flags.StringSliceVar(&f.To, "to", nil, "name servers of the 5.x cluster to change")
	flags.BoolVar(&dry, "dry-run", false, "show what differs, and change nothing")
	flags.BoolVar(&yes, "yes", false, "change it without asking")
	flags.StringVar(&f.Conflicts, "conflicts", "", "what happens to objects of the target with other settings: "+
		"refuse, keep or change; refuse if absent")
	flags.StringSliceVar(&f.Topics, "topic", nil, "globs of topics; all if absent")
	flags.StringSliceVar(&f.Groups, "group", nil, "globs of groups; all if absent")
	flags.StringVar(&f.Prefix, "prefix", "", "what all names begin with on the target, before their own")
	flags.StringSliceVar(&f.KV, "kv", nil, "a namespace of the name servers whose keys come over as they are; "+
		"all of a file's if absent")
	flags.StringVar(&f.Cluster, "cluster", "", "the source's own name, where its name servers know several clusters")
	flags.StringVar(&f.TargetCluster, "target-cluster", "", "the same of the target")
	flags.StringVar(&f.Credentials, "credentials", "", "prefix of the environment variables with the source's keys")
	flags.StringVar(&f.TargetCredentials, "target-credentials", "",
		"prefix of the environment variables with the target's keys")
	flags.Float64Var(
		&f.Rate,
		"rate",
		connect.DefaultRate,
		"most calls per second to both sides together; 0 is no bound",
	)
	return c
}

// applied is what JSON mode prints.
type applied struct {
	apply.Diff
	Applied  bool `json:"applied"` // the target is as wanted, and reads back so
	ExitCode int  `json:"exitCode"`
}

func (a Terminal) run(ctx context.Context, f apply.Flags, dry, yes bool) error {
	run, err := apply.New(f, a.LookupEnv)
	if err != nil {
		return err
	}
	defer run.Close()
	told := a.Now()
	diff, err := run.Diff(ctx, func(text string) {
		if a.Now().Sub(told) >= pause {
			told = a.Now()
			a.Warn("looking: %s", text)
		}
	})
	if err != nil {
		return cutOff(ctx, err)
	}
	a.show(diff)
	doc := applied{Diff: diff}
	switch {
	case len(diff.Conflicts) > 0:
		doc.ExitCode = failure.Refused
		a.note(
			"Nothing was changed: %d objects of the target have other settings; see --conflicts",
			len(diff.Conflicts),
		)
	case diff.Objects() == 0:
		doc.Applied = true
		a.note("Nothing differs: %d objects are as wanted", diff.Same)
	case dry:
		doc.ExitCode = failure.Differs
	default:
		if err := a.agreed(yes, diff.Objects()); err != nil {
			return err
		}
		err := run.Apply(ctx, func(p api.ApplyProgress) {
			a.Warn("%d of %d topics and groups are as wanted, about %s left", p.Done, p.Total, p.Left)
		})
		if err != nil {
			return cutOff(ctx, err)
		}
		doc.Applied = true
		a.note("Done: %d objects made or changed, and read back", diff.Objects())
	}
	a.Exit(doc.ExitCode)
	if a.JSON() {
		a.Document(doc)
	}
	return nil
}

// note is for people, beside the document in JSON mode.
func (a Terminal) note(format string, args ...any) {
	if a.JSON() {
		a.Warn(format, args...)
		return
	}
	a.Say(format, args...)
}

// cutOff is how it ends when a person stops it.
func cutOff(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return failure.Broken("the same command goes on where this one stopped", "interrupted")
}

// agreed asks the person at the terminal.
func (a Terminal) agreed(yes bool, objects int) error {
	if yes {
		return nil
	}
	if file, is := a.Stdin.(*os.File); is && !term.IsTerminal(int(file.Fd())) || a.JSON() {
		return failure.Usage("add --yes to change it, or --dry-run to look alone",
			"%d objects would be made or changed, and nobody is at a terminal to agree", objects)
	}
	a.Warn("Make or change %d objects on the target? yes or no:", objects)
	answer, _ := bufio.NewReader(a.Stdin).ReadString('\n')
	if strings.TrimSpace(answer) != "yes" {
		return failure.Usage("", "nothing was changed: the answer wasn't yes")
	}
	return nil
}

// mostObjects is how many objects of a kind are shown on lines of their own.
const mostObjects = 50

func (a Terminal) show(d apply.Diff) {
	if a.JSON() {
		return
	}
	names := func(sign, kind string, all []string) {
		for i, name := range all {
			if i == mostObjects {
				a.Say("%s and %d %ss more: all of them with -o json", sign, len(all)-i, kind)
				return
			}
			a.Say("%s %s %s", sign, kind, name)
		}
	}
	names("+", "topic", d.CreateTopics)
	names("+", "group", d.CreateGroups)
	names("+", "", d.Keys)
	findings := func(sign string, all []api.Finding) {
		for i, f := range all {
			if i == mostObjects {
				a.Say("%s and %d more: all of them with -o json", sign, len(all)-i)
				return
			}
			a.Say("%s %s: %s; %s", sign, f.Object, f.Cause, f.Next)
		}
	}
	findings("~", d.Changes)
	findings("=", d.Kept)
	findings("?", d.Warnings)
	findings("!", d.Conflicts)
	for _, gap := range d.NotCarried {
		a.Say("? %s", gap)
	}
	a.Say(
		"%d to make or change, %d as wanted, %d kept, %d conflicts",
		d.Objects(),
		d.Same,
		len(d.Kept),
		len(d.Conflicts),
	)
}
