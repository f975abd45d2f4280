package live

import (
	"context"
	"errors"
	"slices"
	"strings"

	"rocketshift/internal/metadata"
	"rocketshift/internal/metadata/rights/acl2"
	"rocketshift/internal/metadata/rights/transfer"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// usersOf adds users and rights, without secrets: ACL 2.0 by what brokers of 5.3 and later list to
// super users, ACL 1.0 by what 4.7 to 4.9.7 tell. Brokers that have access control and tell none are
// a gap, and so are brokers that hold different ones.
func (r Reader) usersOf(
	ctx context.Context, brokers []rocketmq.Broker, all *metadata.Cluster, gaps *metadata.Gaps,
) error {
	for _, b := range brokers {
		part := metadata.New(metadata.Origin{})
		var told metadata.Gaps
		err := r.usersOn(ctx, b, &part, &told)
		var refused *remoting.Error
		switch {
		case errors.Is(err, transfer.ErrOpen):
			continue
		case errors.Is(err, transfer.ErrUntold):
			gaps.Add("users and rights", "brokers of this version tell none: convert plain_acl.yml and conf/acl of one "+
				"of them, beside this export", b.Name)
			continue
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			gaps.Add("users and rights", "no answer: see rocketshift users, which takes files of ACL 1.0 too", b.Name)
			continue
		case errors.As(err, &refused):
			gaps.Add("users and rights", untold(refused), b.Name)
			continue
		case err != nil:
			return err
		}
		joined, differing := metadata.Join(*all, part)
		joined.Origin = all.Origin
		*all = joined
		told.Join(differing)
		for _, g := range told {
			if !slices.ContainsFunc(*gaps, func(one metadata.Gap) bool { return one.What == g.What && one.Why == g.Why }) {
				gaps.Join(metadata.Gaps{g})
			}
		}
	}
	return nil
}

// untold says why a broker listed no users. Its words may be long.
func untold(refused *remoting.Error) string {
	const longest = 80
	said := printable.Text(refused.Remark)
	if len(said) > longest {
		said = strings.ToValidUTF8(said[:longest], "") + "…"
	}
	return "brokers tell them to super users (ACL 2.0), or to anybody with keys (ACL 1.0); they said: " + said
}

func (r Reader) usersOn(ctx context.Context, b rocketmq.Broker, part *metadata.Cluster, gaps *metadata.Gaps) error {
	if !remoting.Earlier(b.Version, firstACL2) {
		guarded, err := transfer.Guarded(ctx, r.Cluster.Client(), b)
		if err == nil && !guarded {
			err = transfer.ErrOpen
		}
		if err != nil {
			return err
		}
		var state acl2.State
		err = remoting.RetryRead(ctx, func() (err error) {
			state, err = acl2.Broker{Client: r.Cluster.Client(), Name: b.Name, Addr: b.Addr}.Read(ctx)
			return err
		})
		if part.Users = state.Users; len(part.Users) > 0 {
			gaps.Add("secrets of users", "a model holds none: rocketshift users takes them from broker, or file, to broker")
		}
		return err
	}
	config, err := transfer.Accounts(ctx, r.Cluster.Client(), b)
	if err == nil {
		part.TakeAccounts(config.ACL1, gaps)
	}
	return err
}

// firstACL2 is the first version with ACL 2.0; those before it have ACL 1.0.
const firstACL2 = "5.3"
