package activities

import (
	"context"
	"slices"
	"strings"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/stability"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
)

// Name servers drop a broker of the source that dies, at once when its process ends. Who lifts a
// fence then doesn't see it, and it comes back with the groups closed: somebody has to wait for it.

// BrokersRequest names brokers of the source.
type BrokersRequest struct {
	Request
	Brokers []string `json:"brokers"`
	// Calm is for how long a fence must stand on these brokers alone until it counts as left there,
	// where moves may be under way: a move fences all brokers within its budget. 0 says that none
	// is, and that every fence on them is left.
	Calm time.Duration `json:"calm,omitempty"`
}

// Missing lists those of the brokers that no name server knows with a master.
func (b *Returns) Missing(ctx context.Context, r BrokersRequest) (_ []string, err error) {
	defer explained(&err)
	_, brokers, err := b.settings.clusters().At(ctx, r.Plan, api.Source)
	if err != nil {
		return nil, err
	}
	return r.missing(brokers), nil
}

func (r BrokersRequest) missing(there []rocketmq.Broker) []string {
	return slices.DeleteFunc(slices.Clone(r.Brokers), func(name string) bool {
		return slices.ContainsFunc(there, func(b rocketmq.Broker) bool { return b.Name == name && !b.Slave })
	})
}

// mostUnmarked is how many groups Reopen names that it left closed.
const mostUnmarked = 20

// Reopen waits until the brokers are back, and opens the groups on them that rocketshift left
// fenced there. It names groups that are closed there alone without a mark, and stay so: others
// closed them, or the broker died before the mark was on its disk.
func (b *Returns) Reopen(ctx context.Context, r BrokersRequest) (unmarked []string, err error) {
	defer explained(&err)
	stood := stability.Set{}
	err = waiting{}.until(ctx, func() error {
		c, brokers, err := b.settings.clusters().At(ctx, r.Plan, api.Source)
		if err != nil {
			return err
		}
		if gone := r.missing(brokers); len(gone) > 0 {
			return fault.Again(
				fault.KindNotReady,
				watchAgain,
				nil,
				"no name server of the source knows %s: groups that were fenced there "+
					"are closed when it comes back, and are opened then: start it",
				strings.Join(gone, ", "),
			)
		}
		if _, err := c.Answering(ctx, brokers); err != nil {
			return err
		}
		o, err := consumers.NewReopening(ctx, c, r.Plan.WithDefaults(), brokers)
		if err != nil {
			return err
		}
		var left []string
		left, unmarked = o.Left(r.Brokers, r.Calm)
		unmarked = unmarked[:min(len(unmarked), mostUnmarked)]
		for _, group := range left {
			if stood.Stands(group, 1, time.Now()) < r.Calm {
				continue
			}
			if err := o.Reopen(ctx, brokers, r.Brokers, r.Calm, group); err != nil {
				return err
			}
		}
		for group := range stood { // who is fenced everywhere by now begins anew
			if !slices.Contains(left, group) {
				delete(stood, group)
			}
		}
		if len(left) > 0 {
			return fault.Again(fault.KindNotReady, watchAgain, nil, "groups %s are closed on %s alone: they are opened there",
				printable.Few(left), strings.Join(r.Brokers, ", "))
		}
		return nil
	})
	return unmarked, err
}
