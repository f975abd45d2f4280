package activities

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"

	"rocketshift/api"
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/stability"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// Stranded finds groups that a move which was cut off left without messages: fenced on the source
// by rocketshift, and closed on the target too, or open there while nobody has read there and the
// members wait on the source. It must not run beside a move. Of a target that doesn't answer for as
// long as Away nothing is known: then groups whose members wait on the source are named.
func (b *Returns) Stranded(ctx context.Context, r SurveyRequest) (_ consumers.Stranded, err error) {
	defer explained(&err)
	p := r.Plan.WithDefaults()
	if p.Traffic.Mode == plan.ModeGateway { // gateways fence nothing on brokers
		return consumers.Stranded{}, nil
	}
	r.SourceOnly, r.ByMark = true, true
	found, err := b.survey(ctx, r)
	if err != nil {
		return consumers.Stranded{}, err
	}
	fenced, err := lists.Resolve(ctx, b.settings.Store, found.FencedGroups)
	if err != nil || len(fenced) == 0 {
		return consumers.Stranded{}, err
	}
	source, brokers, err := b.settings.clusters().At(ctx, r.Plan, api.Source)
	if err != nil {
		return consumers.Stranded{}, err
	}
	waiting, err := source.WithMembers(ctx, brokers, fenced)
	if err != nil {
		return consumers.Stranded{}, err
	}
	var all consumers.Stranded
	err = unlessAway(ctx, r.Away, func() error {
		both, err := b.settings.clusters().Both(ctx, p)
		if err == nil {
			all, err = consumers.FindStranded(ctx, both, fenced, waiting)
		}
		return err
	})
	var app *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() == AwayType {
		return consumers.Stranded{Source: waiting, Away: true}, nil
	}
	return all, err
}

// Forget takes the marks away of groups that are open on the source and closed on the target again:
// nothing of them is ours any more.
func (b *Returns) Forget(ctx context.Context, r GroupsRequest) (err error) {
	defer explained(&err)
	groups, err := b.settings.groups(ctx, r)
	if err != nil {
		return err
	}
	c, brokers, err := b.settings.clusters().At(ctx, r.Plan, api.Source)
	if err != nil {
		return err
	}
	p := r.Plan.WithDefaults()
	return consumers.ForgetFences(ctx, c, p, brokers, groups)
}

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
			return fault.Again(fault.KindNotReady, watchAgain, nil,
				"groups %s are closed on %s alone: they are opened there", printable.Few(left),
				strings.Join(r.Brokers, ", "))
		}
		return nil
	})
	return unmarked, err
}

// ReturnRequest names groups that are to go back to the source.
type ReturnRequest struct {
	GroupsRequest
	// Free are topics whose order needn't survive the move.
	Free api.Names `json:"free,omitzero"`
	// Away is as in AwaitMoveRequest.
	Away time.Duration `json:"away,omitempty"`
}

// AwaitReturnable waits until the groups can go back at exactly the next message. On the source,
// messages that producers wrote on the target may lie behind newer ones, written there since: of
// topics that aren't free (retries always are), groups read them on the target first. Where lanes
// go one way, groups must read every native on the target, of all topics: none is on the source.
func (b *Returns) AwaitReturnable(ctx context.Context, r ReturnRequest) (err error) {
	defer explained(&err)
	return unlessAway(ctx, r.Away, func() error { return b.awaitReturnable(ctx, r) })
}

func (b *Returns) awaitReturnable(ctx context.Context, r ReturnRequest) error {
	both, err := b.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return err
	}
	groups, err := b.settings.groups(ctx, r.GroupsRequest)
	if err != nil {
		return err
	}
	// The way back never waits for the store: without the list no topic is free, which takes
	// longer.
	free, err := lists.Resolve(ctx, b.settings.Store, r.Free)
	if err != nil {
		free = nil
	}
	return poll(ctx, func() error {
		open, err := consumers.Hindrances(ctx, both, groups, free)
		if err != nil {
			return err
		}
		if len(open) > 0 {
			return fault.NotReady("%d of %d groups can't go back yet: %s", len(open), len(groups), printable.Few(open))
		}
		return nil
	})
}
