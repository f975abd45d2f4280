package replicas

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
)

// Limits are what a broker of the target takes, by its configuration.
type Limits struct {
	Unknown        string // why it has never said; "" if it has
	NoTransactions bool
	noSends        bool
	Longest        int64 // 0 if it doesn't say
	delaying       delaying
}

// LimitsOf are the limits of a broker's configuration.
func LimitsOf(config map[string]string) (is Limits) {
	is.NoTransactions = config["rejectTransactionMessage"] == "true"
	if perm, err := strconv.Atoi(config["brokerPermission"]); err == nil {
		is.noSends = perm&mayWrite == 0
	}
	is.Longest, _ = strconv.ParseInt(config["maxMessageSize"], 10, 64)
	is.delaying = delayingOf(config)
	return is
}

// LookAtLimits takes over how the brokers of a side are configured. Of one that doesn't say, what
// it said before counts; a proxy never says.
func LookAtLimits(ctx context.Context, c *rocketmq.Cluster, known *atomic.Pointer[map[string]Limits]) {
	if c.Proxy() != "" {
		return
	}
	brokers, err := c.Brokers(ctx)
	if err != nil {
		return
	}
	var before map[string]Limits
	if last := known.Load(); last != nil {
		before = *last
	}
	var mu sync.Mutex
	next := map[string]Limits{}
	var all errgroup.Group
	all.SetLimit(AskedTogether)
	for _, b := range brokers {
		all.Go(func() error {
			is := limitsAt(ctx, c.Client(), b.Addr)
			if last, was := before[b.Name]; was && is.Unknown != "" && last.Unknown == "" {
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

// AskUnknownLimits asks again where a broker of the target didn't say at the last look.
func (bs *Sides) AskUnknownLimits(ctx context.Context) {
	m, all := bs.Migration.Load(), bs.Limits.Load()
	if m == nil || all != nil && !slices.ContainsFunc(slices.Collect(maps.Values(*all)), Limits.isUnknown) {
		return
	}
	LookAtLimits(ctx, m.TargetCluster, &bs.Limits)
}

func (l Limits) isUnknown() bool { return l.Unknown != "" }

// limitsAt asks a broker.
func limitsAt(ctx context.Context, client *rocketmq.Client, addr string) Limits {
	ctx, cancel := context.WithTimeout(ctx, LimitsTime)
	defer cancel()
	config, err := client.BrokerConfig(ctx, addr)
	switch {
	case err != nil:
		return Limits{Unknown: err.Error()}
	case len(config) == 0:
		return Limits{Unknown: "its answer is empty"}
	}
	return LimitsOf(config)
}

// against says what a broker doesn't take of a topic's sends as the source's broker does, and the
// line to change; "" if nothing.
func (l Limits) against(k *routing.SentKinds, here Limits) (cause, line string) {
	switch longest := k.Longest.Load(); {
	case l.noSends:
		return "takes no sends at all", "brokerPermission=6"
	case l.NoTransactions && k.Transactions.Load():
		return "takes no transactions, which producers send", "rejectTransactionMessage=false"
	case l.Longest > 0 && longest > l.Longest:
		return fmt.Sprintf("takes %d bytes at most, and producers send %d", l.Longest, longest),
			fmt.Sprintf("maxMessageSize=%d", longest)
	}
	return l.delaying.against(k, here.delaying)
}

// Takes says what a target broker doesn't take of a topic's sends, and the line to change, or why
// that isn't known; no cause if it takes all.
func (bs *Sides) Takes(broker string, k *routing.SentKinds, here Limits) (known bool, cause, line string) {
	var is Limits
	asked := false
	if all := bs.Limits.Load(); all != nil {
		is, asked = (*all)[broker]
	}
	switch {
	case !asked:
		return false, "wasn't asked yet how it is configured: try again in " + LookPause.String(), ""
	case is.Unknown != "":
		return false, "doesn't say how it is configured: " + is.Unknown, ""
	}
	cause, line = is.against(k, here)
	return true, cause, line
}

// LimitsOfSource are those of a broker of the source, as far as it says them.
func (bs *Sides) LimitsOfSource(broker string) Limits {
	if all := bs.LimitsHere.Load(); all != nil {
		return (*all)[broker]
	}
	return Limits{}
}

// mayWrite is the bit of brokerPermission without which brokers refuse all sends (PermName).
const mayWrite = 2

// LimitsTime bounds how long a broker may take to say how it is configured: it has it in memory.
const LimitsTime = 2 * time.Second
