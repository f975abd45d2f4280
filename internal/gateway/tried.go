package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/checks"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// That a broker of the target lists a member says nothing of its pulls: it takes any subscription
// in a heartbeat, and refuses the pulls of those that it doesn't serve, or that the member's key
// has no right to. Stock clients only log that. So each subscription is tried in the members' own
// names before a group moves.

// tryTime bounds the attempts of a group: brokers answer each within milliseconds.
const tryTime = 5 * time.Second

// pullSubscribed in a pull says that the subscription is in the request (PullSysFlag); without
// FLAG_COMMIT_OFFSET and FLAG_SUSPEND it commits nothing and is answered at once.
const pullSubscribed = 4

// pullTry is one subscription of a member, at the end of a queue of the target.
type pullTry struct {
	as    asker
	group string
	bodies.Subscription
	at     lane.Queue // of the target
	client string
}

// subscriptionsIn are those of a group in a heartbeat that was read before.
func subscriptionsIn(beat []byte, group string) (all []bodies.Subscription) {
	var is bodies.HeartbeatData
	if json.Unmarshal(beat, &is) != nil {
		return nil // it was read before
	}
	for _, one := range is.Reads {
		if one.Group == group {
			all = append(all, one.Subscriptions...)
		}
	}
	return all
}

// triesOf are what has to be tried for a group: of members with the same key and subscription, one.
// Those that can't follow to the target have been accepted before, and classes that filter run
// elsewhere.
func (g *Gateway) triesOf(group string) (all []pullTry) {
	seen := map[string]bool{}
	for _, s := range g.clients.registry.all() {
		s.mu.Lock()
		client, key, reads, beat, problem := s.client, s.accessKey, s.reads, s.beat, s.problem()
		s.mu.Unlock()
		if problem != "" || !slices.ContainsFunc(reads, func(m bodies.Membership) bool { return m.Group == group }) {
			continue
		}
		for _, sub := range subscriptionsIn(wire.BodyOf(beat), group) {
			for _, at := range g.table.OnePerBroker(sub.Topic) {
				what := fmt.Sprintf("%q %q %q %q %s", key, sub.Topic, sub.Type, sub.Expression, at.Broker)
				if sub.ByClass || seen[what] {
					continue
				}
				seen[what] = true
				all = append(all, pullTry{asker{s, key, remoting.CodePull}, group, sub, at, client})
			}
		}
	}
	return all
}

// tryPulls tries, before a group goes to the target, what members of a group behind this gateway
// subscribe to. Errors: ErrRefused with the broker's words where one is refused, unless the caller
// accepts the group; others where it isn't known.
func (g *Gateway) tryPulls(
	ctx context.Context, group string, to routing.Side, accept []string,
) (inexact []string, err error) {
	l, err := g.sides.Lanes()
	if err != nil || to == routing.Source {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	var mu sync.Mutex
	var refusals []string
	var all errgroup.Group
	all.SetLimit(replicas.ProvedTogether)
	for _, try := range g.triesOf(group) {
		all.Go(func() error {
			why, err := try.refusal(ctx, l)
			if why != "" {
				mu.Lock()
				defer mu.Unlock()
				refusals = append(refusals, why)
			}
			return err
		})
	}
	err = all.Wait()
	slices.Sort(refusals)
	switch {
	case len(refusals) > 0 && slices.Contains(accept, group):
		return refusals, nil
	case len(refusals) > 0:
		return nil, control.Refused("group %s: its members' pulls would be refused: %s", group,
			strings.Join(refusals[:min(len(refusals), checks.MostRefused)], "; "))
	case err != nil:
		return nil, fmt.Errorf("group %s: whether its members' pulls are taken isn't known: %w", group, err)
	}
	return nil, nil
}

// refusal is what the broker says against a pull; "" if it takes it.
func (p pullTry) refusal(ctx context.Context, l replicas.Lanes) (string, error) {
	c := l.Clusters[routing.Target]
	broker, err := c.Broker(ctx, p.at.Broker)
	if err != nil {
		return "", err
	}
	end, err := c.Client().MaxOffset(ctx, broker.Addr, p.Topic, p.at.ID)
	if err != nil {
		return "", err
	}
	kind := p.Type
	if kind == "" {
		kind = "TAG"
	}
	_, err = p.as.askWith(ctx, routing.Dest{Side: routing.Target, Broker: p.at.Broker}, []string{
		"consumerGroup", p.group, "topic", p.Topic, "queueId", strconv.Itoa(p.at.ID),
		"queueOffset", strconv.FormatInt(max(end, 0), 10), "maxMsgNums", "1",
		"sysFlag", strconv.Itoa(pullSubscribed), "commitOffset", "0", "suspendTimeoutMillis", "0",
		"subscription", p.Expression, "subVersion", "0", "expressionType", kind, "bname", p.at.Broker,
	}, nil)
	var no *brokersAnswer
	switch {
	case !errors.As(err, &no):
		return "", err
	case routing.PullTaken(no.code):
		return "", nil
	}
	says := no.firstLine()
	if strings.Contains(says, "does not support consumer to filter") { // its code stands for much else
		says += ": write enablePropertyFilter=true into its configuration and start it again"
	}
	return fmt.Sprintf("%s, which subscribes to topic %s by %s %q: target broker %s: code %d: %s",
		p.client, p.Topic, kind, p.Expression, p.at.Broker, no.code, says), nil
}
