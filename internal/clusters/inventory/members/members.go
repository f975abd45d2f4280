// Package members finds what of groups and clients 5.x takes otherwise: SDKs and their versions,
// features that an SDK lacks, and members of a group that don't agree.
package members

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
)

// Find is the area. It asks the target for the topics that it has already.
func Find(ctx context.Context, sides facts.Sides, seen facts.Facts) ([]api.Finding, error) {
	all, err := splits(ctx, sides.Target, seen)
	if err != nil {
		return nil, err
	}
	for _, group := range seen.GroupNames {
		all = append(all, agreement(seen, group)...)
	}
	all = append(all, clientFindings(seen)...)
	return slices.Concat(all, sdkFindings(seen), unseen(seen), quotas(seen)), nil
}

// agreement is about members of one group that differ.
func agreement(seen facts.Facts, group string) (all []api.Finding) {
	object := "group " + group
	members := seen.Members[group]
	var orderly, concurrent []string
	asked := map[string][]string{}
	for _, id := range clusters.SortedKeys(members) {
		if members[id].Orderly {
			orderly = append(orderly, id)
		} else {
			concurrent = append(concurrent, id)
		}
		if text := subscriptions(members[id].Subscriptions); text != "" {
			asked[text] = append(asked[text], id)
		}
	}
	if len(orderly) > 0 && len(concurrent) > 0 {
		f := findings.GroupMixesOrder.Warning(object, "", "%d members read in order and %d don't, of %d asked",
			len(orderly), len(concurrent), len(members)).
			With(seen.At, "in order: %s", printable.Few(orderly)).
			With(seen.At, "concurrent: %s", printable.Few(concurrent))
		if seen.Plan.Target.Proxied() {
			f = f.Refused()
		}
		all = append(all, f)
	}
	if len(asked) > 1 {
		f := findings.SubscriptionsDiffer.Warning(object, "", "its members ask for %d different things", len(asked))
		for _, text := range clusters.SortedKeys(asked) {
			f = f.With(seen.At, "%s: %s", text, printable.Few(asked[text]))
		}
		all = append(all, f)
	}
	return append(all, fromTimestamp(seen, group)...)
}

// subscriptions are what a member asks for, without its group's own retry topic.
func subscriptions(all []rocketmq.Subscription) string {
	var texts []string
	for _, s := range all {
		if !strings.HasPrefix(s.Topic, rocketmq.RetryTopic("")) {
			texts = append(texts, fmt.Sprintf("%s %s", s.Topic, s.Expression))
		}
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

// byTimestamp is how the SDKs name it (ConsumeFromWhere).
const byTimestamp = "TIMESTAMP"

func fromTimestamp(seen facts.Facts, group string) []api.Finding {
	from := seen.Online[group].FromWhere
	for _, m := range seen.Members[group] {
		if strings.Contains(m.FromWhere, byTimestamp) {
			from = m.FromWhere
		}
	}
	if !strings.Contains(from, byTimestamp) {
		return nil
	}
	return []api.Finding{findings.FromTimestamp.Warning("group "+group, "", "its members start by a time (%s)", from).
		With(seen.At, "%d members connected", len(seen.Online[group].Members))}
}
