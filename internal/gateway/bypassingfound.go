package gateway

import (
	"bytes"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/replica"
)

func (p *bypassingProducers) note(of bypassingProducer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil {
		p.found = map[bypassingProducer]*control.Bypass{}
	}
	one := p.found[of]
	if one == nil && p.ofTopic(of) >= mostPassers { // the topic is held up all the same
		return
	}
	if one == nil {
		one = &control.Bypass{Topic: of.topic, Side: of.on.String(), Address: of.from.String()}
		p.found[of] = one
	}
	one.Messages++
	one.Last = time.Now()
}

// mostPassers is how many producers of one topic are known at a time: who writes to a topic may say
// that its messages were born at any address.
const mostPassers = 100

// ofTopic counts the producers of a topic on a side, once those that have ended are forgotten.
// Callers hold p.mu.
func (p *bypassingProducers) ofTopic(of bypassingProducer) (n int) {
	for other, one := range p.found {
		switch {
		case time.Since(one.Last) > p.life:
			delete(p.found, other)
		case other.topic == of.topic && other.on == of.on:
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
