// Package users is the commands that take users and rights along, from ACL 1.0 to ACL 2.0. They
// need no Temporal.
package users

import (
	"context"

	"github.com/spf13/cobra"
)

// Screen is how the commands speak: to people, or in JSON.
type Screen struct {
	LookupEnv func(string) (string, bool)
	JSON      func() bool
	Say       func(format string, args ...any) // to people, on standard output
	Document  func(doc any)                    // in JSON mode
	Exit      func(code int)                   // with which the command ends, if it isn't an error
}

const long = `Takes users and their rights along from ACL 1.0 of the source to ACL 2.0 of the target, without Temporal. Names and secrets stay
as they are, so applications need no new keys. The source is read live (4.7 to 4.9.7), or from its files by --acl (any 4.x).

Keys come from the environment: with --target-credentials NEW they are NEW_ACCESS_KEY and NEW_SECRET_KEY, of a super user of the
target, such as that of initAuthenticationUser. That user itself is never changed. No secret is ever shown.`

const example = `  rocketshift users export --acl /opt/rocketmq/conf/plain_acl.yml --acl /opt/rocketmq/conf/acl
  rocketshift users diff  --source 10.0.0.1:9876 --source-credentials OLD --target 10.0.9.1:9876 --target-credentials NEW
  rocketshift users apply --source 10.0.0.1:9876 --source-credentials OLD --target 10.0.9.1:9876 --target-credentials NEW --yes`

// Command is users with its commands.
func Command(s Screen) *cobra.Command {
	c := &cobra.Command{
		Use: "users", Short: "Take users and rights along from ACL 1.0 to ACL 2.0; needs no Temporal",
		Long: long, Example: example,
	}
	c.AddCommand(
		s.sub("export", "Print users and rights, without secrets", false,
			func(ctx context.Context, f flags) error { return s.export(ctx, f) }),
		s.sub("diff", "Say what the target lacks, what can't be kept, and who may do other things there", true,
			func(ctx context.Context, f flags) error { return s.transfer(ctx, f) }),
		s.apply(),
	)
	return c
}

func (s Screen) apply() *cobra.Command {
	write := false
	c := s.sub("apply", "Create the users and grant their rights on every broker of the target, and compare both sides",
		true, func(ctx context.Context, f flags) error {
			f.write, f.apply = write, true
			return s.transfer(ctx, f)
		})
	c.Flags().BoolVar(&write, "yes", false, "write; without it the command only says what it would write")
	return c
}

func (s Screen) sub(name, short string, both bool, run func(context.Context, flags) error) *cobra.Command {
	var f flags
	c := &cobra.Command{
		Use: name, Short: short, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return run(c.Context(), f) },
	}
	to := c.Flags()
	to.StringSliceVar(
		&f.files,
		"acl",
		nil,
		"a file or folder of ACL 1.0, such as plain_acl.yml or conf/acl, instead of --source; may be given several times",
	)
	to.StringSliceVar(&f.source, "source", nil, "the source's name servers, host:port, several separated by commas")
	to.StringVar(&f.sourceKeys, "source-credentials", "", "prefix of the environment variables with the source's keys")
	to.StringVar(&f.sourceCluster, "source-cluster", "",
		"the source's own name, where its name servers know several clusters")
	to.StringToStringVar(&f.sourceReached, "source-address", nil,
		"where a server of the source is reached that advertises another address, ADVERTISED=REACHED; may be "+
			"given several times")
	to.StringSliceVar(&f.target, "target", nil, "the target's name servers")
	to.StringVar(&f.targetKeys, "target-credentials", "",
		"prefix of the environment variables with the keys of a super user of the target")
	to.StringVar(&f.targetCluster, "target-cluster", "",
		"the target's own name, where its name servers know several clusters")
	to.StringToStringVar(&f.targetReached, "target-address", nil, "as --source-address, for the target")
	f.sourceTLS.Add(to, "source-", "source")
	f.targetTLS.Add(to, "target-", "target")
	if !both {
		return c
	}
	to.StringVar(&f.prefix, "prefix", "", "what topics' and groups' names begin with on the target")
	to.StringToStringVar(&f.topics, "rename-topic", nil,
		"another name of a topic on the target, NAME=OTHER; may be given several times")
	to.StringToStringVar(&f.groups, "rename-group", nil, "the same for a consumer group")
	to.StringVar(&f.conflicts, "conflicts", "refuse",
		"what becomes of users that the target has already and that differ: refuse (nothing is written), keep, change")
	to.StringVar(&f.newSecrets, "new-secrets", "",
		"file, with mode 0600, that gets the secrets made for users whose old ones the source hides")
	return c
}
