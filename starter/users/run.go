package users

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"rocketshift/internal/failure"
	"rocketshift/internal/metadata/rights"
	"rocketshift/internal/metadata/rights/transfer"
	"rocketshift/internal/rocketmq"
)

// export prints the users of a source, or those of a target.
func (s Screen) export(ctx context.Context, f flags) error {
	found := &failure.Problems{What: "users"}
	_, target := f.sides()
	if len(target.nameServers) > 0 {
		if len(f.files)+len(f.source) > 0 {
			found.Add("--target", "--source or --acl is given too; want one of them")
		}
		keys := target.check(found, s.LookupEnv)
		if err := found.OrNil(); err != nil {
			return err
		}
		cluster := target.open(keys, rocketmq.Renames{})
		defer cluster.Client().Close()
		brokers, err := transfer.ReadTarget(ctx, cluster)
		if err != nil {
			return failed(err)
		}
		return s.print(map[string]any{"brokers": brokers})
	}
	from, end := f.open(found, s.LookupEnv)
	defer end()
	if err := found.OrNil(); err != nil {
		return err
	}
	config, err := from.Read(ctx)
	if err != nil {
		return failed(err)
	}
	return s.print(config.ACL1)
}

func failed(err error) error { return failure.Broken("", "%w", err) }

// print prints a document as YAML to people.
func (s Screen) print(doc any) error {
	if s.JSON() {
		s.Document(doc)
		return nil
	}
	text, err := yaml.Marshal(doc)
	if err != nil {
		return failure.Broken("", "print users: %w", err)
	}
	s.Say("%s", strings.TrimSuffix(string(text), "\n"))
	return nil
}

// result is what diff and apply print.
type result struct {
	*transfer.Review
	Written    bool              `json:"written"`
	Comparison transfer.Compared `json:"comparison,omitempty"` // what both sides allow, by broker
	ExitCode   int               `json:"exitCode"`
}

// transfer is diff and apply.
func (s Screen) transfer(ctx context.Context, f flags) error {
	q, end, err := f.request(s.LookupEnv)
	if err != nil {
		return err
	}
	defer end()
	review, err := q.Prepare(ctx)
	if err != nil {
		return failed(err)
	}
	out := result{Review: review}
	if f.write {
		if err := review.Apply(ctx); errors.Is(err, transfer.ErrConflicts) {
			s.tell(out, f)
			return failure.Usage("", "%w", err)
		} else if err != nil {
			return failed(err)
		}
		out.Written = true
	}
	if out.Written || len(review.Changes)+len(review.Conflicts) == 0 {
		if out.Comparison, err = q.Compare(ctx); err != nil {
			return failed(err)
		}
	}
	if out.Comparison == nil || !out.Comparison.Same() {
		out.ExitCode = failure.Differs
	}
	s.Exit(out.ExitCode)
	if s.JSON() {
		s.Document(out)
		return nil
	}
	s.tell(out, f)
	return nil
}

// tell prints a result for people.
func (s Screen) tell(r result, f flags) {
	if s.JSON() {
		return
	}
	for _, n := range r.Notes {
		s.Say("%s", n)
	}
	for _, c := range r.Changes {
		s.Say("broker %s: user %s: %s", c.Broker, c.User, c.What)
	}
	for _, list := range []struct {
		what string
		of   []transfer.Conflict
	}{{"conflict", r.Conflicts}, {"kept", r.Kept}} {
		for _, c := range list.of {
			s.Say("%s: broker %s: user %s: %s", list.what, c.Broker, c.User, c.Text)
		}
	}
	if len(r.Made) > 0 {
		s.Say("new secrets of %d users are in %s once they are written: %s", len(r.Made), f.newSecrets,
			strings.Join(r.Made, ", "))
	}
	for _, broker := range slices.Sorted(maps.Keys(r.Comparison)) {
		s.comparison(broker, r.Comparison[broker])
	}
	s.Say("%s", r.last(f))
}

func (s Screen) comparison(broker string, c rights.Comparison) {
	for _, user := range c.Missing {
		s.Say("differs: broker %s doesn't have user %s", broker, user)
	}
	for _, d := range c.Differences {
		s.Say("differs: broker %s: %s", broker, d)
	}
	if more := c.Differing - len(c.Differences); more > 0 {
		s.Say("differs: broker %s: %d more", broker, more)
	}
	s.Say("broker %s: %d questions, %d answered otherwise than by the source", broker, c.Questions, c.Differing)
}

// last is the last line.
func (r result) last(f flags) string {
	switch {
	case r.Written:
		return fmt.Sprintf("written: %d changes on %d brokers, %d users were there already", len(r.Changes),
			len(r.Brokers), r.Same)
	case len(r.Conflicts) > 0:
		return fmt.Sprintf("%d conflicts, %d changes to write: decide about the conflicts by --conflicts keep or "+
			"--conflicts change", len(r.Conflicts), len(r.Changes))
	case len(r.Changes) == 0:
		return "nothing to write"
	case f.apply:
		return fmt.Sprintf("%d changes to write; nothing was written: the same command with --yes writes them",
			len(r.Changes))
	}
	return fmt.Sprintf("%d changes to write: rocketshift users apply writes them", len(r.Changes))
}
