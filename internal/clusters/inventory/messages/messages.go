// Package messages finds what of the stored messages 5.x takes otherwise: types, keys, sizes of
// properties, empty bodies, delays and transactions.
package messages

import (
	"context"
	"slices"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// Find is the area.
func Find(ctx context.Context, sides facts.Sides, seen facts.Facts) ([]api.Finding, error) {
	var all []api.Finding
	for _, topic := range seen.TopicNames {
		all = append(all, topicFindings(seen, topic)...)
	}
	pending, err := pendingDelays(ctx, sides.Source, seen)
	if err != nil {
		return nil, err
	}
	all = append(all, delayFindings(seen, pending)...)
	return append(all, transactionFindings(seen)...), nil
}

// mostStamp is more than the longest stamp that a copy carries besides its own properties.
const mostStamp = 160

func topicFindings(seen facts.Facts, topic string) (all []api.Finding) {
	object := "topic " + topic
	sample := seen.Samples[topic]
	noted := sample.Noted
	if kinds := kindsOf(sample.Kinds); len(kinds) > 1 && seen.Types[topic] == plan.TypeMixed {
		f := findings.TypesMixed.Warning(object, "", "%d messages sampled are of %s, so its type is MIXED",
			sample.Looked, strings.Join(kinds, " and "))
		for _, kind := range kinds {
			f = f.With(seen.At, "%d of %s, such as %s", noted.Counts[plan.MessageType(kind)], kind,
				noted.Examples[plan.MessageType(kind)])
		}
		all = append(all, f)
	}
	all = append(all, keyFindings(seen, topic)...)
	if noted.MostProps > remoting.MaxProperties-mostStamp {
		all = append(all, findings.PropertiesTooLong.Refusal(object, "",
			"a message has %d bytes of properties: with the stamp of a copy that is more than %d",
			noted.MostProps, remoting.MaxProperties).With(seen.At, "%s", noted.LongestProps))
	}
	return all
}

func kindsOf(seen map[plan.MessageType]bool) (kinds []string) {
	for kind, is := range seen {
		if is {
			kinds = append(kinds, string(kind))
		}
	}
	slices.Sort(kinds)
	return kinds
}

// keyFindings: a 5.x proxy knows ordered messages by one property, which client-go and
// rocketmq-spring don't write.
func keyFindings(seen facts.Facts, topic string) (all []api.Finding) {
	noted, sample := seen.Samples[topic].Noted, seen.Samples[topic]
	var orderly []string
	for _, group := range seen.Readers[topic] {
		if seen.Orderly[group] {
			orderly = append(orderly, group)
		}
	}
	var cause string
	switch keyed := noted.Counts[plan.TypeFIFO]; {
	case noted.GoKeys > 0:
		cause = "its producers choose queues by a key that 5.x proxies don't know (SHARDING_KEY of client-go)"
	case len(orderly) > 0 && keyed == 0 && noted.Counts[plan.TypeNormal] > 0:
		cause = "it is read in order, and its messages have no sharding key (__SHARDINGKEY)"
	default:
		return nil
	}
	f := findings.OrderWithoutKey.Warning("topic "+topic, "", "%s: they count as %s", cause, plan.TypeNormal)
	if seen.Types[topic] == plan.TypeFIFO && seen.Plan.Target.Proxied() {
		f = f.Refused()
	}
	if noted.GoKeys > 0 {
		f = f.With(seen.At, "%d of %d messages sampled, such as %s", noted.GoKeys, sample.Looked, noted.GoKey)
	} else {
		f = f.With(seen.At, "%d of %d messages sampled, such as %s", noted.Counts[plan.TypeNormal], sample.Looked,
			noted.Examples[plan.TypeNormal])
	}
	if len(orderly) > 0 {
		f = f.With(seen.At, "read in order by %s", strings.Join(orderly[:min(3, len(orderly))], ", "))
	}
	return []api.Finding{f}
}
