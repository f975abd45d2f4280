package messages

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rocketshift/api"
	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// scheduleTopic holds what brokers deliver later, each delay level in queue level-1
// (TopicValidator.RMQ_SYS_SCHEDULE_TOPIC).
const scheduleTopic = "SCHEDULE_TOPIC_XXXX"

// pending is what waits in one level of one broker, in messages.
type pending struct {
	broker string
	level  int
	count  int64
}

// pendingDelays are what each broker of the source delivers later, by its levels.
func pendingDelays(ctx context.Context, source *clusters.One, seen facts.Facts) (all []pending, err error) {
	for _, b := range seen.Brokers {
		done, err := source.Client().DelayOffsets(ctx, b.Addr)
		if remoting.CodeOf(err) >= 0 && !remoting.Retryable(err) { // it doesn't tell, which the ledger says later
			continue
		}
		if err != nil {
			return nil, source.Explain(ctx, err)
		}
		for level := range levelsOf(seen, b.Name) {
			next, err := source.Client().MaxOffset(ctx, b.Addr, scheduleTopic, level)
			if remoting.CodeOf(err) >= 0 && !remoting.Retryable(err) {
				continue
			}
			if err != nil {
				return nil, source.Explain(ctx, err)
			}
			if n := next - done[level+1]; n > 0 {
				all = append(all, pending{b.Name, level + 1, n})
			}
		}
	}
	return all, nil
}

// levelsOf are the seconds of a broker's delay levels; none where it doesn't tell.
func levelsOf(seen facts.Facts, broker string) []int64 {
	return levelsIn(seen.Configured, func(b brokerconfig.Broker) bool { return b.Name == broker })
}

func levelsIn(brokers []brokerconfig.Broker, which func(brokerconfig.Broker) bool) []int64 {
	at := slices.IndexFunc(brokers, which)
	if at < 0 {
		return nil
	}
	return brokerconfig.DelaySeconds(brokers[at].Values["messageDelayLevel"])
}

// limit is the longest delay that the target takes, and who says so.
type limit struct {
	most time.Duration
	by   string
}

const (
	// ofReleases is timerMaxDelaySec of 5.x brokers that nobody has changed.
	ofReleases = 3 * 24 * time.Hour
	// ofInstances is what managed instances take that aren't of the highest editions.
	ofInstances = 7 * 24 * time.Hour
)

// timerLimit is for messages with a time of their own.
func timerLimit(seen facts.Facts) limit {
	if d := time.Duration(seen.Plan.Target.MaxDelay); d > 0 {
		return limit{d, "target.maxDelay of the plan"}
	}
	least := limit{}
	for _, b := range seen.Target.Configured {
		n, err := strconv.ParseInt(b.Values["timerMaxDelaySec"], 10, 32)
		if d := time.Duration(n) * time.Second; err == nil && (least.most == 0 || d < least.most) {
			least = limit{d, "timerMaxDelaySec of target broker " + b.Name}
		}
	}
	switch {
	case least.most > 0:
		return least
	case seen.Plan.Target.Proxied():
		return limit{
			ofInstances,
			"what managed instances take; target.maxDelay says otherwise (40 days of the highest editions)",
		}
	}
	return limit{ofReleases, "timerMaxDelaySec of 5.x, unless it is changed"}
}

// levelLimit is for messages with a delay level: the longest level of brokers that tell theirs. A
// target of provider local gets the source's levels.
func levelLimit(seen facts.Facts) (limit, bool) {
	if d := time.Duration(seen.Plan.Target.MaxDelay); d > 0 {
		return limit{d, "target.maxDelay of the plan"}, true
	}
	for _, b := range seen.Target.Configured {
		if levels := brokerconfig.DelaySeconds(b.Values["messageDelayLevel"]); len(levels) > 0 {
			most := time.Duration(slices.Max(levels)) * time.Second
			return limit{most, "messageDelayLevel of target broker " + b.Name}, true
		}
	}
	return timerLimit(seen), seen.Plan.Target.Provider != plan.ProviderLocal
}

func delayFindings(seen facts.Facts, waiting []pending) (all []api.Finding) {
	for _, broker := range seen.Brokers {
		all = append(all, levelFindings(seen, broker.Name, waiting)...)
	}
	of := timerLimit(seen)
	for _, topic := range seen.TopicNames {
		noted := seen.Samples[topic].Noted
		if noted.LongestTimer <= of.most {
			continue
		}
		all = append(all, findings.DelayBeyondLimit.Refusal(
			"topic "+topic,
			"",
			"a message was due %s after it was sent, and the target takes up to %s (%s)",
			noted.LongestTimer,
			of.most,
			of.by,
		).
			With(seen.At, "%s; %d messages sampled have a time of their own", noted.LongestTimed, noted.TimedMessages))
	}
	return all
}

// levelFindings are about the delay levels of one broker: those in use that are beyond the limit
// refuse, others are only there.
func levelFindings(seen facts.Facts, broker string, waiting []pending) (all []api.Finding) {
	levels := levelsOf(seen, broker)
	of, known := levelLimit(seen)
	var unused []string
	total, longest := int64(0), time.Duration(0)
	for i, seconds := range levels {
		level, delay := i+1, time.Duration(seconds)*time.Second
		count := int64(0)
		for _, p := range waiting {
			if p.broker == broker && p.level == level {
				count = p.count
			}
		}
		if total += count; count > 0 {
			longest = max(longest, delay)
		}
		if !known || delay <= of.most {
			continue
		}
		used := usersOf(seen, level)
		if count == 0 && len(used) == 0 {
			unused = append(unused, fmt.Sprintf("%d (%s)", level, delay))
			continue
		}
		f := findings.DelayBeyondLimit.Refusal(fmt.Sprintf("delay level %d of source broker %s", level, broker), "",
			"is %s, and the target takes up to %s (%s)", delay, of.most, of.by)
		if count > 0 {
			f = f.With(seen.At, "%d messages wait in it", count)
		}
		if len(used) > 0 {
			f = f.With(seen.At, "sampled messages of topics %s have it", strings.Join(used, ", "))
		}
		all = append(all, f)
	}
	if len(unused) > 0 {
		all = append(all, findings.DelayBeyondLimit.Warning("delay levels of source broker "+broker,
			"nothing, if nobody uses them", "%s are beyond the target's %s (%s); nothing seen uses them",
			strings.Join(unused, ", "), of.most, of.by))
	}
	if total > 0 {
		all = append(all, findings.DelaysPending.Advice("source broker "+broker, "",
			"%d messages wait to be delivered later, the last of them in up to %s", total, longest).
			With(seen.At, "%s", byLevel(waiting, broker, levels)))
	}
	return all
}

func byLevel(waiting []pending, broker string, levels []int64) string {
	var all []string
	for _, p := range waiting {
		if p.broker == broker && p.level <= len(levels) {
			all = append(all, fmt.Sprintf("level %d (%s): %d", p.level,
				time.Duration(levels[p.level-1])*time.Second, p.count))
		}
	}
	return strings.Join(all, ", ")
}

// usersOf are the first topics of which a sampled message has the level.
func usersOf(seen facts.Facts, level int) (topics []string) {
	for _, topic := range seen.TopicNames {
		if seen.Samples[topic].Noted.Levels[level] > 0 && len(topics) < 3 {
			topics = append(topics, topic)
		}
	}
	return topics
}
