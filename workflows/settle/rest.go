package settle

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/workflows/change"
	"rocketshift/workflows/lists"
	"rocketshift/workflows/stage"
)

const (
	// LedgerFirst is the pause after the first measurement of a ledger: quick while somebody
	// watches.
	LedgerFirst = 5 * time.Second
	// LedgerMax is what it grows to: rare over days.
	LedgerMax = time.Hour
)

// RestAsked is the rest that persons are asked to accept. It stands for a while although the rest
// is measured again and again meanwhile, so that somebody can read it, ask others, and answer.
type RestAsked struct {
	ledger  api.Ledger
	expires time.Time
}

// Take returns what to ask now that the rest was measured, and when that is to be measured again. A
// question stands until it expires, or more is left than it says: who accepted more accepts less.
func (r *RestAsked) Take(
	ctx workflow.Context, now api.Ledger, text func(api.Ledger) string,
	pause time.Duration,
) stage.Question {
	q := stage.Question{Life: pause}
	if !change.Made(ctx, change.RestStands) {
		q.Text, q.Evidence = text(now), now.Rows
		return q
	}
	at := workflow.Now(ctx)
	if !at.Before(r.expires) || !covers(r.ledger, now) {
		r.ledger, r.expires = now, at.Add(max(pause, stage.RestLife))
	}
	q.Text, q.Evidence, q.Expires = text(r.ledger), r.ledger.Rows, r.expires
	q.Life = min(pause, r.expires.Sub(at))
	return q
}

// covers reports whether whoever accepted one ledger has accepted the other. Of a ledger that is so
// long that it stands in a document, that is so only while it stays the same.
func covers(accepted, now api.Ledger) bool {
	if (accepted.Rest == 0) != (now.Rest == 0) {
		return false
	}
	before, inline := accepted.Rows.Inline()
	after, short := now.Rows.Inline()
	if !inline || !short {
		was, is := accepted.Rows.Document(), now.Rows.Document()
		return was != nil && is != nil && was.Digest == is.Digest
	}
	return !slices.ContainsFunc(after, func(n api.LedgerRow) bool {
		return n.Rest > 0 && !slices.ContainsFunc(before, func(a api.LedgerRow) bool {
			return a.Kind == n.Kind && a.Object == n.Object && a.Rest >= n.Rest
		})
	})
}

// LongestPause is how rarely a ledger is measured at last.
func LongestPause(d *stage.Run) time.Duration {
	if !d.Bounded {
		return LedgerMax
	}
	return stage.EvidenceLongest
}

// Rests names what is left, the first of it where it is much.
func Rests(l api.Ledger) string {
	var names []string
	for _, r := range l.Rows.First() {
		if r.Rest > 0 {
			names = append(names, fmt.Sprintf("%s %s %d", r.Kind, r.Object, r.Rest))
		}
	}
	if rows := l.Rows.Len(); rows > len(l.Rows.First()) {
		const shown = 5
		names = names[:min(shown, len(names))]
		return fmt.Sprintf("%s and more, %d kinds in all", strings.Join(names, ", "), rows)
	}
	return lists.Short(names)
}
