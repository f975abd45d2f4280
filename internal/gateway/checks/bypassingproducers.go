package checks

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/sleep"
)

// BypassingProducers are the producers that were found writing past the gateways.
type BypassingProducers struct {
	Life time.Duration // for how long one counts as going on

	mu    sync.Mutex
	found map[BypassingProducer]*control.Bypass
	why   string    // they can't be found
	since time.Time // when that was so last
}

// BypassingProducer is a producer of a topic, as a side has it.
type BypassingProducer struct {
	Topic string
	On    routing.Side
	From  netip.AddrPort
}

// suspect is a message that may have been written past the gateways.
type suspect struct {
	BypassingProducer
	stored time.Time // by this process's clock
}

const (
	// bypassLife is for how long a producer counts as one that goes on writing.
	bypassLife = time.Minute
	// looksBack is how old messages may be that are looked at: the connections that they came
	// through are still known.
	looksBack = time.Minute
	// looksAt is how many of a queue's newest messages are looked at.
	looksAt = 32
	// ownTopics starts the names of rocketshift's topics, as those of the canaries.
	ownTopics = "rocketshift-"
	// looksTogether is how many queues are looked at every lookPause: the others have their turn in
	// the next looks.
	looksTogether = 100
)

// List lists those that count, by topic, and says why they can't be found if that is so.
func (p *BypassingProducers) List() (all []control.Bypass, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all = []control.Bypass{}
	for of, one := range p.found {
		if time.Since(one.Last) > p.Life {
			delete(p.found, of)
			continue
		}
		all = append(all, *one)
	}
	slices.SortFunc(all, func(a, b control.Bypass) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Side, b.Side), cmp.Compare(a.Address, b.Address))
	})
	return all, p.why
}

// Unknown takes note of why they can't be found. A look that went well takes that back only when
// all queues have had their turn since: it was at others than the one that failed.
func (p *BypassingProducers) Unknown(why error, turns time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case why != nil:
		p.why, p.since = why.Error(), time.Now()
	case time.Since(p.since) >= turns:
		p.why = ""
	}
}

// suspectsOf are the newest messages of a queue's home that no gateway's connection may have brought,
// since the last look at it. What was there before the first look isn't judged.
func suspectsOf(
	ctx context.Context,
	bs *replicas.Sides,
	l replicas.Lanes,
	q *routing.Queue,
	mine map[netip.AddrPort]bool,
) (all []suspect, err error) {
	on := q.At()
	at, err := q.On(on)
	if err != nil {
		return nil, err
	}
	ahead, err := bs.Clocks.Ahead(ctx, l, routing.Dest{Side: on, Broker: at.Broker})
	if err != nil {
		return nil, err
	}
	end, err := l.End(ctx, q, on)
	if err != nil {
		return nil, err
	}
	from := q.Looked(on, end)
	if from < 0 || from >= end {
		return nil, nil
	}
	found, err := l.Read(ctx, q, on, max(from, end-looksAt), looksAt)
	if err != nil {
		return nil, err
	}
	for i := range found {
		m := &found[i]
		one := suspect{
			BypassingProducer{q.Topic, on, replicas.Unmapped(m.BornHost)},
			time.UnixMilli(m.StoreTimestamp).Add(-ahead),
		}
		if newlyWritten(m) && !mine[one.From] && time.Since(one.stored) < looksBack {
			all = append(all, one)
		}
	}
	return all, nil
}

// findBypassing looks for producers that write to queues past all gateways of the migration.
func (ck *Checks) findBypassing(ctx context.Context, queues []*routing.Queue) error {
	l, err := ck.sides.Lanes()
	if err != nil {
		return err
	}
	own, hidden := ck.sides.Origins.All()
	if hidden {
		_, _, err := ck.host.OriginsOfAll(ctx)
		return err
	}
	mine := map[netip.AddrPort]bool{}
	for _, from := range own {
		mine[from] = true
	}
	var mu sync.Mutex
	var suspects []suspect
	var all errgroup.Group
	all.SetLimit(replicas.ProvedTogether)
	for _, q := range queues {
		if strings.HasPrefix(q.Topic, "%") || strings.HasPrefix(q.Topic, ownTopics) ||
			q.At() == routing.Target && q.Lane() == nil {
			continue // brokers write to groups' own topics, and rocketshift to its own
		}
		if q.At() == routing.Target && ck.sides.BehindProxy() {
			continue // every message there comes from the proxy
		}
		all.Go(func() error {
			found, err := suspectsOf(ctx, ck.sides, l, q, mine)
			mu.Lock()
			defer mu.Unlock()
			suspects = append(suspects, found...)
			if err != nil {
				return fmt.Errorf("queue %s: who writes to it can't be read: %w", q, err)
			}
			return nil
		})
	}
	err = all.Wait()
	if len(suspects) == 0 {
		return err
	}
	known, since, unknown := ck.host.OriginsOfAll(ctx) // asked now: a connection may be newer than the look's begin
	if unknown != nil {
		return unknown
	}
	for _, one := range suspects {
		if !known[one.From] && one.stored.After(since.Add(freshTime)) {
			ck.Bypassing.Note(one.BypassingProducer)
		}
	}
	return err
}

// freshTime is for how long after a gateway's begin messages may still arrive that were sent
// through it before.
const freshTime = 5 * time.Second

// LookForBypassingAgain looks at some queues again and again.
func (ck *Checks) LookForBypassingAgain(ctx context.Context) {
	for sleep.For(ctx, replicas.LookPause) == nil {
		ck.LookForBypassing(ctx)
	}
}

// LookForBypassing looks at the next queues.
func (ck *Checks) LookForBypassing(ctx context.Context) {
	l, err := ck.sides.Lanes()
	if err != nil {
		return
	}
	var queues []*routing.Queue
	for _, t := range ck.table.Topics.All() {
		queues = append(queues, t.All()...)
	}
	if len(queues) == 0 {
		return
	}
	first := int(ck.turn.Add(looksTogether)-looksTogether) % len(queues)
	queues = append(queues[first:len(queues):len(queues)], queues[:first]...)
	ctx, cancel := context.WithTimeout(ctx, replicas.LookPause)
	defer cancel()
	err = ck.sides.CheckOrigins(ctx, l)
	if err == nil {
		err = ck.findBypassing(ctx, queues[:min(looksTogether, len(queues))])
	}
	ck.Bypassing.Unknown(err, time.Duration((len(queues)-1)/looksTogether)*replicas.LookPause)
}

// bypassingTime bounds the look before a move.
const bypassingTime = 10 * time.Second

// NobodyBypasses refuses to move homes of queues while producers write to them past the gateways:
// they would go on writing to the side that is left, and their messages would come in another order
// there than here. Those to topics that the caller accepts do so.
func (ck *Checks) NobodyBypasses(
	ctx context.Context, m control.Move, queues []*routing.Queue,
) (inexact []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, bypassingTime)
	defer cancel()
	if err := ck.findBypassing(ctx, queues); err != nil {
		ck.log.Warn("who writes past the gateways isn't known", "cause", err)
		inexact = append(inexact, "who writes past the gateways isn't known: "+err.Error())
	}
	of := map[string]bool{}
	for _, q := range queues {
		of[q.Topic] = true
	}
	var found []string
	var by control.Bypassing
	all, _ := ck.Bypassing.List()
	for _, one := range all {
		says := fmt.Sprintf("topic %s of the %s from %s (%d messages seen)", one.Topic, one.Side, one.Address,
			one.Messages)
		switch {
		case !of[one.Topic]:
		case slices.Contains(m.Accept, one.Topic):
			inexact = append(inexact,
				says+": what it writes there comes to the other side by the lane, in another order than what "+
					"is sent through gateways")
		default:
			found, by.Topics = append(found, says), append(by.Topics, one.Topic)
		}
	}
	if len(found) == 0 {
		return inexact, nil
	}
	by.Topics = slices.Compact(by.Topics) // they are listed by topic
	return nil, control.NewBypassed(
		by,
		"%d producers have written past the gateways within %s: to %s; give them a gateway as their name "+
			"server, then try again after %s; "+
			"or accept the topic, where the order of their messages and others may differ on both sides",
		len(found),
		ck.Bypassing.Life,
		strings.Join(found[:min(len(found), 5)], ", "),
		ck.Bypassing.Life,
	)
}
