package gateway

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
)

// What brokers take depends on how they are configured, and who sends what no request tells but the
// sends themselves. So the gateway notes what brokers have taken of each topic, and homes move only
// to brokers that take the same.

// sentKinds are what kinds of messages brokers have taken of a topic since the gateway began.
type sentKinds struct {
	transactions atomic.Bool
	longest      atomic.Int64  // body of a message, or of a batch, as it is sent, in bytes
	levels       atomic.Uint64 // of delays: bit n for level n
	timer        atomic.Int64  // the longest delay by a timer, in seconds
}

// note takes note of one that a broker has stored.
func (k *sentKinds) note(c call) {
	if c.transaction && !k.transactions.Load() {
		k.transactions.Store(true)
	}
	raise(&k.longest, int64(c.size))
	raise(&k.timer, int64(c.timer))
	if bit := uint64(1) << c.level; c.level > 0 && k.levels.Load()&bit == 0 {
		k.levels.Or(bit)
	}
}

// raise makes a number at least that great.
func raise(n *atomic.Int64, to int64) {
	for before := n.Load(); to > before && !n.CompareAndSwap(before, to); before = n.Load() {
	}
}

// transacts reports whether a message is the first half of a transaction (SendMessageProcessor reads
// the property, 4.5.2 to 5.3.3).
func transacts(f *wire.Frame, propertiesKey string) bool {
	if !bytes.Contains(f.Get(propertiesKey), []byte(rocketmq.PropTranMsg)) {
		return false
	}
	is, _ := rocketmq.PropertyValue(f.Text(propertiesKey), rocketmq.PropTranMsg)
	return strings.EqualFold(is, "true")
}

// limits are what a broker of the target takes, by its configuration.
type limits struct {
	noTransactions bool
	noSends        bool
	longest        int64 // 0 if it doesn't say
	delaying       delaying
	unread         string // why it isn't known; who refuses to tell is a finding before anything moves
}

// mayWrite is the bit of brokerPermission without which brokers refuse all sends (PermName).
const mayWrite = 2

func limitsOf(config map[string]string) (is limits) {
	is.noTransactions = config["rejectTransactionMessage"] == "true"
	if perm, err := strconv.Atoi(config["brokerPermission"]); err == nil {
		is.noSends = perm&mayWrite == 0
	}
	is.longest, _ = strconv.ParseInt(config["maxMessageSize"], 10, 64)
	is.delaying = delayingOf(config)
	return is
}

// lookAtLimits takes over how the brokers of a side are configured. Of one that doesn't say, what it
// said before counts; a proxy never says.
func lookAtLimits(ctx context.Context, c *rocketmq.Cluster, known *atomic.Pointer[map[string]limits]) {
	if c.Proxy() != "" {
		return
	}
	brokers, err := c.Brokers(ctx)
	if err != nil {
		return
	}
	all := map[string]limits{}
	if last := known.Load(); last != nil {
		all = *last
	}
	next := map[string]limits{} // of those that said
	for _, b := range brokers {
		config, err := c.Client().BrokerConfig(ctx, b.Addr)
		if err != nil || len(config) == 0 {
			if last, was := all[b.Name]; was {
				next[b.Name] = last
			} else if err != nil && rocketmq.CodeOf(err) < 0 {
				next[b.Name] = limits{unread: err.Error()}
			}
			continue
		}
		next[b.Name] = limitsOf(config)
	}
	known.Store(&next)
}

// against says what a broker doesn't take of a topic's sends as the source's broker does, and the line
// to change; "" if nothing.
func (l limits) against(k *sentKinds, here limits) (cause, line string) {
	switch longest := k.longest.Load(); {
	case l.noSends:
		return "takes no sends at all", "brokerPermission=6"
	case l.noTransactions && k.transactions.Load():
		return "takes no transactions, which producers send", "rejectTransactionMessage=false"
	case l.longest > 0 && longest > l.longest:
		return fmt.Sprintf("takes %d bytes at most, and producers send %d", l.longest, longest),
			fmt.Sprintf("maxMessageSize=%d", longest)
	}
	return l.delaying.against(k, here.delaying)
}

// takesSends refuses to move homes to brokers of the target that don't take what is sent to the
// queues. It returns what becomes inexact where the caller accepts the topic.
func (g *Gateway) takesSends(r Round) (inexact []string, err error) {
	all := g.limits.Load()
	if r.Kind != KindHome || r.To != target.String() || all == nil {
		return nil, nil
	}
	var refusals []string
	for _, name := range r.Queues {
		t := g.topics.get([]byte(name.Topic))
		if t == nil {
			continue // which is said where it matters
		}
		q := t.queue([]byte(name.Broker), int64(name.ID))
		if q == nil || q.lane.Load() == nil {
			continue
		}
		broker := q.lane.Load().Target.Broker
		if why := (*all)[broker].unread; why != "" {
			return nil, fmt.Errorf("whether target broker %s takes what producers send isn't known yet: %s", broker, why)
		}
		cause, line := (*all)[broker].against(q.kinds, g.limitsOfSource(name.Broker))
		if cause == "" {
			continue
		}
		says := fmt.Sprintf("topic %s: target broker %s %s", t.name, broker, cause)
		if slices.Contains(r.Accept, t.name) {
			inexact = append(inexact, says)
			continue
		}
		refusals = append(refusals, says+": write "+line+" into its configuration and start it again")
	}
	if refusals = distinct(refusals); len(refusals) > 0 {
		return nil, refused(
			"the target doesn't take what producers send: %s; or accept the topics by their names, "+
				"and such sends are refused there",
			strings.Join(refusals[:min(len(refusals), mostRefused)], "; "))
	}
	return distinct(inexact), nil
}
