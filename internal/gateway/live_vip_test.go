package gateway

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/lab/javaclient"
)

// Java clients of 4.4.0 send, ask and commit at ports two below those that routes name. They do so
// behind the gateway as well, while everything moves.
func TestLiveOldClientsSendByVIPChannels(t *testing.T) {
	r := newRig(t, "vip")
	topic, orderly, concurrent := r.topic("vip", 2), r.group("orderly"), r.group("concurrent")
	r.replicate()
	r.open()
	ordered := r.javaConsume(orderly, 1, javaclient.Consumer{
		Version: "4.4.0", Topic: topic, Mode: javaclient.Orderly,
	})
	others := r.javaConsume(concurrent, 2, javaclient.Consumer{
		Version: "4.4.0", Topic: topic, Mode: javaclient.Concurrent,
	})
	load := r.javaProduce(topic, "4.4.0", javaclient.Ordered, 4, 20*time.Millisecond)
	r.untilMore(50, load, ordered, others)
	for _, to := range []string{"target", "source"} {
		r.move(control.Move{Kind: control.KindSide, To: to, Groups: []string{orderly, concurrent}})
		r.move(control.Move{Kind: control.KindHome, To: to, Topics: []string{topic}})
		r.untilMore(50, load, ordered, others)
	}
	byVIP := 0
	for _, s := range r.gateway.clients.registry.all() {
		if s.vip.Load() {
			byVIP++
		}
	}
	assert.Positive(t, byVIP, "clients have come to VIP channels")
	load.end()
	ordered.untilRead(load)
	others.untilRead(load)
	load.fine()
	assert.Zero(t, ordered.judge(load).lost+ordered.judge(load).outOfOrder)
	assert.Zero(t, others.judge(load).lost)
}
