package transfer

import (
	"context"
	"errors"
	"fmt"

	"rocketshift/internal/metadata/rights"
)

// ErrConflicts is the error of a transfer that awaits a decision about users of the target.
var ErrConflicts = errors.New(
	"users of the target aren't as the source's: nothing was written; decide by --conflicts " +
		"keep or --conflicts change",
)

// Apply writes what the review found, to one broker after the other, and reads all back. New
// secrets are in their file before a broker knows them. The same transfer can be run again at any
// time, and goes on where it was interrupted.
func (r *Review) Apply(ctx context.Context) error {
	if len(r.Conflicts) > 0 {
		return ErrConflicts
	}
	if len(r.Made) > 0 {
		if err := r.fresh.Write(r.request.NewSecrets); err != nil {
			return err
		}
	}
	for _, c := range r.Changes {
		if err := c.do(ctx); err != nil {
			return fmt.Errorf("target: %w; the same command goes on where this one stopped", err)
		}
	}
	return r.readBack(ctx)
}

// readBack wants every broker to hold what was written.
func (r *Review) readBack(ctx context.Context) error {
	all, err := nodes(ctx, r.request.Target)
	if err != nil {
		return err
	}
	kept := map[[2]string]bool{}
	for _, k := range r.Kept {
		kept[[2]string{k.Broker, k.User}] = true
	}
	for _, n := range all {
		for _, u := range r.Users {
			if kept[[2]string{n.Name, u.Name}] {
				continue
			}
			has, there := n.state.User(u.Name)
			if !there {
				return fmt.Errorf("target: broker %s says that it has written user %s, and doesn't have it: "+
					"run the same command again", n.Name, u.Name)
			}
			if differs := r.differences(n, has, u); differs != "" {
				return fmt.Errorf("target: broker %s says that it has written user %s, but %s: "+
					"run the same command again", n.Name, u.Name, differs)
			}
		}
	}
	return nil
}

// replace makes a user as wanted: new rights first, so that it has all of them at any time, then
// what is too much. Where the order may decide, all rights are written anew.
func replace(ctx context.Context, n *node, has, wanted rights.User, secret string) error {
	if err := n.Update(ctx, wanted, secret); err != nil {
		return err
	}
	if wanted.Type == rights.Super || sameRights(has.Rights, wanted.Rights, n.rules) {
		return nil
	}
	if n.rules == rights.Rules53 && len(has.Rights) > 0 {
		if err := n.Revoke(ctx, wanted.Name); err != nil {
			return err
		}
		return n.Grant(ctx, wanted)
	}
	if err := n.Grant(ctx, wanted); err != nil {
		return err
	}
	for _, r := range has.Rights {
		if !holds(wanted.Rights, r) {
			if err := n.RevokeOne(ctx, wanted.Name, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// holds reports whether a list has an entry of that resource in that policy.
func holds(list []rights.Right, r rights.Right) bool {
	for _, one := range list {
		if one.Resource == r.Resource && one.Default == r.Default {
			return true
		}
	}
	return false
}

// Compared is what both sides would allow, by broker of the target.
type Compared map[string]rights.Comparison

// Same reports whether all brokers answer as the source.
func (c Compared) Same() bool {
	for _, one := range c {
		if !one.Same() {
			return false
		}
	}
	return true
}

// Compare reads the source and every broker of the target anew, and asks both what each user may do
// with each topic and group.
func (q Request) Compare(ctx context.Context) (Compared, error) {
	source, err := q.Source.Read(ctx)
	if err != nil {
		return nil, err
	}
	topics, groups, err := named(ctx, q.Target)
	if err != nil {
		return nil, err
	}
	all, err := nodes(ctx, q.Target)
	if err != nil {
		return nil, err
	}
	out := Compared{}
	for _, n := range all {
		out[n.Name] = rights.Compare(source.ACL1, n.state.Users, rights.Asked{
			Topics: topics, Groups: groups, Names: q.names(), Rules: n.rules,
		})
	}
	return out, nil
}
