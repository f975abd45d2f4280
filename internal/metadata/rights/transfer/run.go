package transfer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Done is a transfer that is written and compared.
type Done struct {
	*Review
	Compared Compared
}

// Run prepares and applies a transfer, and compares both sides. While there are conflicts it writes
// nothing; its error is ErrConflicts and names the first of them.
func (q Request) Run(ctx context.Context) (d Done, err error) {
	if d.Review, err = q.Prepare(ctx); err != nil {
		return d, err
	}
	if n := len(d.Conflicts); n > 0 {
		var named []string
		for _, c := range d.Conflicts[:min(n, mostNamed)] {
			named = append(named, fmt.Sprintf("user %s on broker %s: %s", c.User, c.Broker, c.Text))
		}
		return d, fmt.Errorf("%d conflicts, such as %s: %w", n, strings.Join(named, "; "), ErrConflicts)
	}
	if err := d.Apply(ctx); err != nil {
		return d, err
	}
	d.Compared, err = q.Compare(ctx)
	return d, err
}

// mostNamed are the conflicts that an error names.
const mostNamed = 5

// Differing is how many questions the target answers otherwise; a user that it lacks is one.
func (d Done) Differing() (n int) {
	for _, c := range d.Compared {
		n += c.Differing + len(c.Missing)
	}
	return n
}

// Said is one thing that people should know.
type Said struct{ Object, Text, Do string }

// Said is what can't be kept, what stays otherwise and what differs, for people.
func (d Done) Said() (all []Said) {
	for _, n := range d.Notes {
		all = append(
			all,
			Said{strings.TrimSpace("user " + n.User + " " + n.Object), string(n.Kind) + ": " + n.Text, n.Do},
		)
	}
	for _, k := range d.Kept {
		all = append(all, Said{"user " + k.User + ", broker " + k.Broker, "kept: " + k.Text, ""})
	}
	for _, broker := range slices.Sorted(maps.Keys(d.Compared)) {
		for _, one := range d.Compared[broker].Differences {
			all = append(
				all,
				Said{"user " + one.User + ", broker " + broker, one.String(), "compare the user's rights"},
			)
		}
	}
	return all
}
