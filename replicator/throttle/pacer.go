package throttle

import (
	"context"
	"fmt"
	"math"
	"sync"

	"golang.org/x/time/rate"

	"rocketshift/replicator/lane"
)

// Pacer holds lanes to rates. Both directions share it.
type Pacer struct {
	mu     sync.Mutex
	limits map[string]*limits // "" is of all topics
}

type limits struct {
	rate            lane.Rate
	messages, bytes *rate.Limiter
}

// NewPacer is a pacer without any bound.
func NewPacer() *Pacer { return &Pacer{limits: map[string]*limits{}} }

// Set bounds all lanes together, or those of one topic where it is named.
func (p *Pacer) Set(topic string, to lane.Rate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.limits[topic]
	if l == nil { // changed in place later, so that waiting lanes go on at the new rate
		l = &limits{messages: rate.NewLimiter(rate.Inf, 1), bytes: rate.NewLimiter(rate.Inf, 1)}
		p.limits[topic] = l
	}
	l.rate = to
	apply(l.messages, to.Messages)
	apply(l.bytes, to.Bytes)
}

// apply sets a rate. What passes in a tenth of a second may pass at once.
func apply(l *rate.Limiter, perSecond float64) {
	if perSecond <= 0 {
		l.SetLimit(rate.Inf)
		return
	}
	l.SetBurst(max(1, int(perSecond/10)))
	l.SetLimit(rate.Limit(perSecond))
}

func (p *Pacer) of(topic string) *limits {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limits[topic]
}

// Slowed is the rate that holds a topic's lanes back; empty without one.
func (p *Pacer) Slowed(topic string) string {
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

// Most is how many messages of a topic may be sent at once: as many as pass in a tenth of a second.
func (p *Pacer) Most(topic string) int {
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

// Wait returns when so many messages and bytes of a topic may be sent, or with the error of the
// context.
func (p *Pacer) Wait(ctx context.Context, topic string, messages, bytes int) error {
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

// waitAll waits for n; what is more than may pass at once it takes in pieces.
func waitAll(ctx context.Context, l *rate.Limiter, n int) error {
	for n > 0 && l.Limit() != rate.Inf {
		some := min(n, l.Burst())
		if err := l.WaitN(ctx, some); err != nil && ctx.Err() != nil {
			return err
		} // else the burst was made smaller meanwhile: once more
		n -= some
	}
	return nil
}
