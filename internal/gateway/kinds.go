package gateway

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// What brokers take depends on how they are configured, and who sends what no request tells but the
// sends themselves. So the gateway notes what brokers have taken of each topic, and homes move only
// to brokers that take the same.

// transacts reports whether a message is the first half of a transaction (SendMessageProcessor
// reads the property, 4.5.2 to 5.3.3).
func transacts(f *wire.Frame, propertiesKey string) bool {
	if !bytes.Contains(f.Get(propertiesKey), []byte(remoting.PropTranMsg)) {
		return false
	}
	is, _ := remoting.PropertyValue(f.Text(propertiesKey), remoting.PropTranMsg)
	return strings.EqualFold(is, "true")
}

// limits are what a broker of the target takes, by its configuration.
type limits struct {
	unknown        string // why it has never said; "" if it has
	noTransactions bool
	noSends        bool
	longest        int64 // 0 if it doesn't say
	delaying       delaying
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

// limitsTime bounds how long a broker may take to say how it is configured: it has it in memory.
const limitsTime = 2 * time.Second

// lookAtLimits takes over how the brokers of a side are configured. Of one that doesn't say, what
// it said before counts; a proxy never says.
func lookAtLimits(ctx context.Context, c *rocketmq.Cluster, known *atomic.Pointer[map[string]limits]) {
	if c.Proxy() != "" {
		return
	}
	brokers, err := c.Brokers(ctx)
	if err != nil {
		return
	}
	var before map[string]limits
	if last := known.Load(); last != nil {
		before = *last
	}
	var mu sync.Mutex
	next := map[string]limits{}
	var all errgroup.Group
	all.SetLimit(askedTogether)
	for _, b := range brokers {
		all.Go(func() error {
			is := limitsAt(ctx, c.Client(), b.Addr)
			if last, was := before[b.Name]; was && is.unknown != "" && last.unknown == "" {
				is = last
			}
			mu.Lock()
			defer mu.Unlock()
			next[b.Name] = is
			return nil
		})
	}
	_ = all.Wait()
	known.Store(&next)
}

// askUnknownLimits asks again where a broker of the target didn't say at the last look.
func (bs *bothSides) askUnknownLimits(ctx context.Context) {
	m, all := bs.migration.Load(), bs.limits.Load()
	if m == nil || all != nil && !slices.ContainsFunc(slices.Collect(maps.Values(*all)), limits.isUnknown) {
		return
	}
	lookAtLimits(ctx, m.target, &bs.limits)
}

func (l limits) isUnknown() bool { return l.unknown != "" }

// limitsAt asks a broker.
func limitsAt(ctx context.Context, client *rocketmq.Client, addr string) limits {
	ctx, cancel := context.WithTimeout(ctx, limitsTime)
	defer cancel()
	config, err := client.BrokerConfig(ctx, addr)
	switch {
	case err != nil:
		return limits{unknown: err.Error()}
	case len(config) == 0:
		return limits{unknown: "its answer is empty"}
	}
	return limitsOf(config)
}

// against says what a broker doesn't take of a topic's sends as the source's broker does, and the
// line to change; "" if nothing.
func (l limits) against(k *routing.SentKinds, here limits) (cause, line string) {
	switch longest := k.Longest.Load(); {
	case l.noSends:
		return "takes no sends at all", "brokerPermission=6"
	case l.noTransactions && k.Transactions.Load():
		return "takes no transactions, which producers send", "rejectTransactionMessage=false"
	case l.longest > 0 && longest > l.longest:
		return fmt.Sprintf("takes %d bytes at most, and producers send %d", l.longest, longest),
			fmt.Sprintf("maxMessageSize=%d", longest)
	}
	return l.delaying.against(k, here.delaying)
}

// takesSends refuses to move homes to brokers of the target that don't take what is sent to the
// queues, or of which that isn't known. It returns what becomes inexact where the caller accepts
// the topic, and by a proxy, whose brokers never say.
func (g *Gateway) takesSends(r store.Round) (inexact []string, err error) {
	if r.Kind != control.KindHome || r.To != routing.Target.String() {
		return nil, nil
	}
	var refusals, unknown []string
	for _, name := range r.Queues {
		t := g.table.Topics.Get([]byte(name.Topic))
		if t == nil {
			continue // which is said where it matters
		}
		q := t.Queue([]byte(name.Broker), int64(name.ID))
		if q == nil || q.Lane() == nil {
			continue
		}
		broker := q.Lane().Target.Broker
		if g.sides.behindProxy() {
			inexact = append(inexact, "what target broker "+broker+" takes of what producers send isn't known: "+
				"it is behind a proxy, which doesn't say")
			continue
		}
		known, cause, line := g.sides.takes(broker, q.Kinds, g.sides.limitsOfSource(name.Broker))
		says := fmt.Sprintf("topic %s: target broker %s %s", t.Name, broker, cause)
		switch {
		case cause == "":
		case slices.Contains(r.Accept, t.Name):
			inexact = append(inexact, says)
		case known:
			refusals = append(refusals, says+": write "+line+" into its configuration and start it again")
		default:
			unknown = append(unknown, says)
		}
	}
	if refusals = control.Distinct(refusals); len(refusals) > 0 {
		return nil, control.Refused(
			"the target doesn't take what producers send: %s; or accept the topics by their names, "+
				"and such sends are refused there",
			strings.Join(refusals[:min(len(refusals), mostRefused)], "; "))
	}
	if unknown = control.Distinct(unknown); len(unknown) > 0 {
		return nil, control.Refused(
			"it isn't known whether the target takes what producers send: %s; let the gateway's account ask it "+
				"(GET_BROKER_CONFIG); or accept the topics by their names, and what it doesn't take is refused there",
			strings.Join(unknown[:min(len(unknown), mostRefused)], "; "))
	}
	return control.Distinct(inexact), nil
}

// takes says what a target broker doesn't take of a topic's sends, and the line to change, or why
// that isn't known; no cause if it takes all.
func (bs *bothSides) takes(broker string, k *routing.SentKinds, here limits) (known bool, cause, line string) {
	var is limits
	asked := false
	if all := bs.limits.Load(); all != nil {
		is, asked = (*all)[broker]
	}
	switch {
	case !asked:
		return false, "wasn't asked yet how it is configured: try again in " + lookPause.String(), ""
	case is.unknown != "":
		return false, "doesn't say how it is configured: " + is.unknown, ""
	}
	cause, line = is.against(k, here)
	return true, cause, line
}
