package checks

import (
	"bytes"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/replica"
)

// Note takes note of a message that was written past the gateways.
func (p *BypassingProducers) Note(of BypassingProducer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil {
		p.found = map[BypassingProducer]*control.Bypass{}
	}
	one := p.found[of]
	if one == nil && p.ofTopic(of) >= MostPassers { // the topic is held up all the same
		return
	}
	if one == nil {
		one = &control.Bypass{Topic: of.Topic, Side: of.On.String(), Address: of.From.String()}
		p.found[of] = one
	}
	one.Messages++
	one.Last = time.Now()
}

// MostPassers is how many producers of one topic are known at a time: who writes to a topic may say
// that its messages were born at any address.
const MostPassers = 100

// ofTopic counts the producers of a topic on a side, once those that have ended are forgotten.
// Callers hold p.mu.
func (p *BypassingProducers) ofTopic(of BypassingProducer) (n int) {
	for other, one := range p.found {
		switch {
		case time.Since(one.Last) > p.Life:
			delete(p.found, other)
		case other.Topic == of.Topic && other.On == of.On:
			n++
		}
	}
	return n
}

// newlyWritten reports whether a producer has just written a message: it is no copy, and none that
// a broker delivers later than it was sent, when its connection may be long gone.
func newlyWritten(m *remoting.Message) bool {
	if _, copied := replica.ParseStamp(m.Properties); copied || m.SysFlag&remoting.FlagTransaction != 0 {
		return false
	}
	for _, late := range [...]string{remoting.PropRealTopic, remoting.PropDelay, "TIMER_"} {
		if bytes.Contains(m.Properties, []byte(late)) {
			return false
		}
	}
	return true
}
