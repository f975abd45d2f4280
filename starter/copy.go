package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator"
)

const copyLong = `Copies topics from one cluster to another, without Temporal. Without --follow it ends when everything is copied that the
source held at its start, and compares the copies with their originals. The same command goes on where an earlier one stopped:
nothing is copied twice. Ctrl-C stops it in good order, a second one at once.

Keys come from the environment: with --source-credentials OLD they are OLD_ACCESS_KEY and OLD_SECRET_KEY.`

const copyExample = `  rocketshift copy --source 10.0.0.1:9876 --target 10.0.9.1:9876 --topic orders --topic payments --create-topics`

func (a *app) copyCommand() *cobra.Command {
	var f copyFlags
	c := &cobra.Command{
		Use: "copy", Short: "Copy topics from one cluster to another, once or until it is stopped; needs no Temporal",
		Long: copyLong, Example: copyExample, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.copy(c.Context(), f) },
	}
	flags := c.Flags()
	flags.StringSliceVar(&f.source, "source", nil, "the source's name servers, host:port, several separated by commas")
	flags.StringSliceVar(&f.target, "target", nil, "the target's name servers")
	flags.StringVar(&f.targetProxy, "target-proxy", "", "instead of --target, the remoting port of the target's 5.x proxy, host:port, where its brokers can't be reached")
	flags.StringSliceVar(&f.topics, "topic", nil, "a topic to copy; may be given several times")
	flags.BoolVar(&f.create, "create-topics", false, "create topics that the target lacks, with as many queues as on the source")
	flags.BoolVar(&f.follow, "follow", false, "go on copying what comes, until Ctrl-C")
	flags.BoolVar(&f.bothWays, "both-ways", false, "also copy to the source what applications write on the target")
	flags.StringVar(&f.prefix, "prefix", "", "what the topics' names begin with on the target, before their names on the source")
	flags.StringToStringVar(&f.rename, "rename", nil, "another name of a topic on the target, NAME=OTHER; may be given several times")
	flags.StringVar(&f.differences, "differences", "", "file that gets every difference found at the end, as lines of JSON")
	flags.StringVar(&f.sourceCredentials, "source-credentials", "", "prefix of the environment variables with the source's keys")
	flags.StringVar(&f.targetCredentials, "target-credentials", "", "prefix of the environment variables with the target's keys")
	flags.StringVar(&f.sourceCluster, "source-cluster", "", "the source's own name, where its name servers know several clusters")
	flags.StringVar(&f.targetCluster, "target-cluster", "", "the target's own name, where its name servers know several clusters")
	flags.StringToStringVar(&f.sourceReached, "source-address", nil, "where a server of the source is reached that advertises another address, ADVERTISED=REACHED; may be given several times")
	flags.StringToStringVar(&f.targetReached, "target-address", nil, "the same for the target")
	flags.StringSliceVar(&f.leftOut, "leave-out", nil,
		"a broker of the source whose messages aren't copied; may be given several times")
	flags.StringSliceVar(&f.readSlaves, "read-slave", nil,
		"a broker of the source that is read from its slave while it has no master; may be given several times")
	flags.StringVar(&f.sourceID, "source-id", "",
		"the source's id in stamps; made of its name servers' addresses if absent")
	flags.StringVar(&f.targetID, "target-id", "",
		"the target's id in stamps; made of its name servers' addresses if absent")
	flags.StringVar(&f.name, "name", "",
		"name of this copy; its consumer group is rocketshift-copy-NAME; made of both ids if absent")
	return c
}

// copy runs one copy from its checks to its verdict.
func (a *app) copy(ctx context.Context, f copyFlags) error {
	q, err := f.request(a.lookupEnv)
	if err != nil {
		return err
	}
	if err := q.checkFile(); err != nil {
		return err
	}
	c := &copying{copyRequest: q, source: q.from.open(), target: q.to.open(), now: a.now}
	defer c.source.Client().Close()
	defer c.target.Client().Close()
	if err := c.prepare(ctx, a.note); err != nil {
		return interrupted(ctx, err)
	}
	a.note("%s", c)
	began := a.now()
	view := a.copyView()
	ran, err := c.run(ctx, view.show)
	var v copyVerdict
	if err == nil {
		v, err = c.judge(ctx, ran, view.show)
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
	return broken("the same command goes on where this one stopped", "interrupted")
}

// copying is one copy at work.
type copying struct {
	copyRequest
	source, target *rocketmq.Cluster
	lanes          []replicator.Lane
	fromSlaves     []string // brokers of the source without a master, of which a slave is read
	notSeen        []string // what isn't looked at, each as a sentence
	now            func() time.Time
	tell           func(replicator.Difference) // writes differences to their file; nil without one
}
