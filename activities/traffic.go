package activities

import (
	"context"
	"math"
	"slices"

	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/rocketmq"
)

// Traffic moves groups and producers without a gateway: brokers close what must not be read or
// written, and the release pipeline re-points applications.
type Traffic struct{ settings Settings }

// NewTraffic returns the activities of Shift.
func NewTraffic(s Settings) *Traffic { return &Traffic{s.withDefaults()} }

// Fence closes groups on every broker of a side: pulls are refused from now on, positions can still
// be committed.
func (t *Traffic) Fence(ctx context.Context, r GroupsRequest) (err error) {
	defer explained(&err)
	return t.open(ctx, r, false)
}

// Unfence opens groups on every broker of a side. It doesn't wait for one that is down to open them
// on the others; then its error is about that one.
func (t *Traffic) Unfence(ctx context.Context, r GroupsRequest) (err error) {
	defer explained(&err)
	return t.open(ctx, r, true)
}

// open sets and reads back whether groups may consume. Only what differs is written, with all other
// settings as they are.
func (t *Traffic) open(ctx context.Context, r GroupsRequest, enable bool) error {
	groups, err := t.settings.groups(ctx, r)
	if err != nil {
		return err
	}
	c, brokers, err := t.settings.clusters().At(ctx, r.Plan, r.Side)
	// which opens and closes no group: only the gateway leads anybody there before the end phase
	if err != nil || c.Proxy() != "" {
		return err
	}
	return consumers.Open(ctx, consumers.Opening{
		One: c, Plan: r.Plan.WithDefaults(), Enable: enable, Ours: r.Ours,
	}, brokers, groups)
}

// CloseTopics makes topics read-only on a side: stock producers find no queue to write to, lanes
// still write.
func (t *Traffic) CloseTopics(ctx context.Context, r TopicsRequest) (err error) {
	defer explained(&err)
	return t.permit(ctx, r, func(perm int) int { return perm &^ rocketmq.PermWrite })
}

// OpenTopics makes topics writable on a side.
func (t *Traffic) OpenTopics(ctx context.Context, r TopicsRequest) (err error) {
	defer explained(&err)
	return t.permit(ctx, r, func(perm int) int { return perm | rocketmq.PermRead | rocketmq.PermWrite })
}

// permit changes and reads back the permission of topics. Only what differs is written; attributes
// stay as they are.
func (t *Traffic) permit(ctx context.Context, r TopicsRequest, change func(int) int) error {
	topics, err := lists.Resolve(ctx, t.settings.Store, r.Topics)
	if err != nil {
		return err
	}
	c, brokers, err := t.settings.clusters().At(ctx, r.Plan, r.Side)
	if err != nil || c.Proxy() != "" { // which opens and closes no topic
		return err
	}
	return metadata.Permit(ctx, c, brokers, topics, change)
}

// groups are those of the request, without the ones that are left alone.
func (s Settings) groups(ctx context.Context, r GroupsRequest) ([]string, error) {
	groups, err := lists.Resolve(ctx, s.Store, r.Groups)
	if err != nil || len(r.But) == 0 {
		return groups, err
	}
	but := map[string]bool{}
	for _, name := range r.But {
		but[name] = true
	}
	return slices.DeleteFunc(slices.Clone(groups), func(name string) bool { return but[name] }), nil
}

// among are the names that are in the other list too.
func among(names, others []string) []string {
	there := map[string]bool{}
	for _, name := range others {
		there[name] = true
	}
	return slices.DeleteFunc(names, func(name string) bool { return !there[name] })
}

// fewOf is how many rows of a result are told that only people read.
func fewOf(r Request) int {
	if r.Bounded {
		return 20 // as many as a page of the Web UI shows
	}
	return math.MaxInt
}
