package replicator

import (
	"context"
	"fmt"
	"math"
	"sync"

	"golang.org/x/time/rate"

	"rocketshift/replicator/lane"
)

// SetRate bounds all lanes together, or those of one topic where it is named. It holds at once,
// also while lanes run.
func (r *Replicator) SetRate(topic string, to lane.Rate) { r.pacer.set(topic, to) }

// pacer holds lanes back. Both directions share it.
type pacer struct {
	mu     sync.Mutex
	limits map[string]*limits // "" is of all topics
}

type limits struct {
	rate            lane.Rate
	messages, bytes *rate.Limiter
}

func newPacer() *pacer { return &pacer{limits: map[string]*limits{}} }

func (p *pacer) set(topic string, to lane.Rate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.limits[topic]
	if l == nil { // changed in place from then on, so that those who wait go on at the new rate
		l = &limits{messages: rate.NewLimiter(rate.Inf, 1), bytes: rate.NewLimiter(rate.Inf, 1)}
		p.limits[topic] = l
	}
	l.rate = to
	apply(l.messages, to.Messages)
	apply(l.bytes, to.Bytes)
}

// apply lets a tenth of a second's worth pass at once.
func apply(l *rate.Limiter, perSecond float64) {
	if perSecond <= 0 {
		l.SetLimit(rate.Inf)
		return
	}
	l.SetBurst(max(1, int(perSecond/10)))
	l.SetLimit(rate.Limit(perSecond))
}

func (p *pacer) of(topic string) *limits {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limits[topic]
}

// slowed is why a topic's lanes are held back, if they are.
func (p *pacer) slowed(topic string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.limits[topic]; l != nil && l.rate != (lane.Rate{}) {
		return fmt.Sprintf("the rate of topic %s: %s", topic, l.rate)
	}
	if l := p.limits[""]; l != nil && l.rate != (lane.Rate{}) {
		return fmt.Sprintf("the rate of all topics: %s", l.rate)
	}
	return ""
}

// most is how many messages may be sent at once: no more than pass in a tenth of a second.
func (p *pacer) most(topic string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	most := math.MaxInt
	for _, name := range []string{topic, ""} {
		if l := p.limits[name]; l != nil && l.rate.Messages > 0 {
			most = min(most, l.messages.Burst())
		}
	}
	return most
}

// wait returns when so much may be sent.
func (p *pacer) wait(ctx context.Context, topic string, messages, bytes int) error {
	for _, name := range []string{topic, ""} {
		l := p.of(name)
		if l == nil {
			continue
		}
		if err := waitAll(ctx, l.messages, messages); err != nil {
			return err
		}
		if err := waitAll(ctx, l.bytes, bytes); err != nil {
			return err
		}
	}
	return nil
}

// waitAll takes more than may pass at once in pieces.
func waitAll(ctx context.Context, l *rate.Limiter, n int) error {
	for n > 0 && l.Limit() != rate.Inf {
		some := min(n, l.Burst())
		if err := l.WaitN(ctx, some); err != nil && ctx.Err() != nil {
			return err
		} // else the burst was made smaller in the meantime: once more
		n -= some
	}
	return nil
}
