package main

import (
	"context"

	"github.com/spf13/cobra"

	"rocketshift/internal/copyjob"
	"rocketshift/internal/failure"
)

const copyLong = `Copies topics from one cluster to another, without Temporal. Without --follow it ends when everything is copied that the
source held at its start, and compares the copies with their originals. The same command goes on where an earlier one stopped:
nothing is copied twice. Ctrl-C stops it in good order, a second one at once.

Keys come from the environment: with --source-credentials OLD they are OLD_ACCESS_KEY and OLD_SECRET_KEY.`

const copyExample = `  rocketshift copy --source 10.0.0.1:9876 --target 10.0.9.1:9876 --topic orders --topic payments --create-topics`

func (a *app) copyCommand() *cobra.Command {
	var f copyjob.Flags
	c := &cobra.Command{
		Use: "copy", Short: "Copy topics from one cluster to another, once or until it is stopped; needs no Temporal",
		Long: copyLong, Example: copyExample, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.copy(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringSliceVar(&f.Source, "source", nil, "the source's name servers, host:port, several separated by commas")
	flags.StringSliceVar(&f.Target, "target", nil, "the target's name servers")
	flags.StringVar(&f.TargetProxy, "target-proxy", "",
		"instead of --target, the remoting port of the target's 5.x proxy, host:port, where its brokers "+
			"can't be reached")
	flags.StringSliceVar(&f.Topics, "topic", nil, "a topic to copy; may be given several times")
	flags.BoolVar(&f.Create, "create-topics", false,
		"create topics that the target lacks, with as many queues as on the source")
	flags.BoolVar(&f.Follow, "follow", false, "go on copying what comes, until Ctrl-C")
	flags.BoolVar(&f.BothWays, "both-ways", false, "also copy to the source what applications write on the target")
	flags.StringVar(&f.Prefix, "prefix", "",
		"what the topics' names begin with on the target, before their names on the source")
	flags.StringToStringVar(&f.Rename, "rename", nil,
		"another name of a topic on the target, NAME=OTHER; may be given several times")
	flags.StringVar(&f.Differences, "differences", "",
		"file that gets every difference found at the end, as lines of JSON")
	flags.StringVar(&f.SourceCredentials, "source-credentials", "",
		"prefix of the environment variables with the source's keys")
	flags.StringVar(&f.TargetCredentials, "target-credentials", "",
		"prefix of the environment variables with the target's keys")
	flags.StringVar(&f.SourceCluster, "source-cluster", "",
		"the source's own name, where its name servers know several clusters")
	flags.StringVar(&f.TargetCluster, "target-cluster", "",
		"the target's own name, where its name servers know several clusters")
	flags.StringToStringVar(&f.SourceReached, "source-address", nil,
		"where a server of the source is reached that advertises another address, ADVERTISED=REACHED; may be "+
			"given several times")
	flags.StringToStringVar(&f.TargetReached, "target-address", nil, "the same for the target")
	flags.StringSliceVar(&f.LeftOut, "leave-out", nil,
		"a broker of the source whose messages aren't copied; may be given several times")
	flags.StringSliceVar(&f.ReadSlaves, "read-slave", nil,
		"a broker of the source that is read from its slave while it has no master; may be given several times")
	flags.StringVar(&f.SourceID, "source-id", "",
		"the source's id in stamps; made of its name servers' addresses if absent")
	flags.StringVar(&f.TargetID, "target-id", "",
		"the target's id in stamps; made of its name servers' addresses if absent")
	flags.StringVar(&f.Name, "name", "",
		"name of this copy; its consumer group is rocketshift-copy-NAME; made of both ids if absent")
	return c
}

// copy runs one copy from its checks to its verdict.
func (a *app) copy(ctx context.Context, f copyjob.Flags) error {
	q, err := f.Request(a.lookupEnv)
	if err != nil {
		return err
	}
	if err := q.CheckFile(); err != nil {
		return err
	}
	c := &copyjob.Job{Request: q, Source: q.From.Open(), Target: q.To.Open(), Now: a.now}
	defer c.Source.Client().Close()
	defer c.Target.Client().Close()
	if err := c.Prepare(ctx, a.note); err != nil {
		return interrupted(ctx, err)
	}
	a.note("%s", c)
	began := a.now()
	view := a.copyView()
	ran, err := c.Run(ctx, view.show)
	var v copyjob.Verdict
	if err == nil {
		v, err = c.Judge(ctx, ran, view.show)
	}
	view.end()
	if err != nil {
		return interrupted(ctx, err)
	}
	v.Seconds = a.now().Sub(began).Seconds()
	a.code = v.ExitCode
	a.showVerdict(v)
	return nil
}

// interrupted is how a copy ends that was stopped before it had anything to show.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return failure.Broken("the same command goes on where this one stopped", "interrupted")
}
