package inventory

import (
	"context"
	"slices"
	"time"

	"rocketshift/api"
	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/clusters/inventory/access"
	"rocketshift/internal/clusters/inventory/advice"
	"rocketshift/internal/clusters/inventory/contents"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/clusters/inventory/members"
	"rocketshift/internal/clusters/inventory/messages"
	"rocketshift/internal/clusters/inventory/names"
	"rocketshift/internal/clusters/inventory/servers"
	"rocketshift/internal/clusters/inventory/storage"
	"rocketshift/internal/clusters/inventory/unused"
	"rocketshift/internal/findings"
	"rocketshift/plan"
)

// areas are fields of findings that stand in packages of their own, each a line here.
func areas() []facts.Area {
	return []facts.Area{
		servers.Find,
		access.Find,
		contents.Find,
		messages.Find,
		members.Find,
		names.Find,
		storage.Find,
		unused.Find,
	}
}

// Assess looks at the source, and at the target if it exists, and tells how far it is.
func Assess(
	ctx context.Context, o connect.Opener, p plan.Plan, tell func(string),
) (result api.Assessment, err error) {
	return AssessWatched(ctx, o, p, nil, tell)
}

// AssessWatched is Assess that also judges what was seen of the source before; nil means nothing was.
func AssessWatched(
	ctx context.Context, o connect.Opener, p plan.Plan, watched *facts.Watched, tell func(string),
) (result api.Assessment, err error) {
	source, err := o.Source(p)
	if err != nil {
		return result, err
	}
	gaps, err := source.GapFindings(ctx)
	if err != nil {
		return result, err
	}
	if away, err := servers.Unreached(ctx, source); err != nil || len(away) > 0 { // nothing more is seen
		return api.Assessment{
			MeasuredAt: time.Now().UTC(), Topics: []api.Topic{}, Groups: []api.Group{}, Findings: append(gaps, away...),
		}, err
	}
	inv, err := takeInventory(ctx, source, p, tell)
	if err != nil {
		return result, err
	}
	target, err := lookAtTarget(ctx, o, p)
	if err != nil {
		return result, err
	}
	configured, err := source.BrokerSettings(ctx, inv.brokers)
	if err != nil {
		return result, err
	}
	left, err := remainsFindings(ctx, o, p, inv, target.brokers)
	if err != nil {
		return result, err
	}
	lacking, err := slavesLack(ctx, source, inv)
	if err != nil {
		return result, err
	}
	twice, err := elsewhereOnTarget(ctx, o, p, inv, target)
	if err != nil {
		return result, err
	}
	seen := inv.facts()
	seen.Configured, seen.Target = configured, facts.Target{Brokers: target.brokers, Configured: target.settings}
	seen.Watched = watched
	more, err := areaFindings(ctx, facts.Sides{Source: source, Target: target.open, Tell: tell}, seen)
	if err != nil {
		return result, err
	}
	result = inv.assessment()
	ordered := map[string]bool{}
	for _, name := range result.OrderedTopics() {
		ordered[name] = true
	}
	result.Recommended = advice.Of(seen, ordered)
	result.Findings = slices.Concat(gaps, target.gaps, left, lacking, twice, inv.findings(target.brokers), more,
		clusters.Differences(brokerconfig.Compare(configured, target.settings, inv.uses())),
		inv.gatewayFindings(ctx, o), leftBehind(p.Source.LeftOut), slaveFindings(inv.brokers))
	findings.First(result.Findings)
	return result, nil
}

// areaFindings are those of all areas, in their order.
func areaFindings(ctx context.Context, sides facts.Sides, seen facts.Facts) (all []api.Finding, err error) {
	for _, area := range areas() {
		found, err := area(ctx, sides, seen)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// facts is the look for those who judge it elsewhere.
func (inv *look) facts() facts.Facts {
	seen := facts.Facts{
		Plan: inv.plan, At: inv.at, Brokers: inv.brokers, Topics: inv.topics, Groups: inv.groups,
		TopicNames: inv.topicNames(), GroupNames: inv.groupNames(),
		Positions: inv.positions, Online: inv.online, Producers: inv.producers, Orderly: inv.orderly,
		Samples: inv.samples, Routes: inv.routes, Messages: inv.messages,
		Ranges: inv.ranges, Members: inv.members, Runtime: inv.runtime,
		Types: map[string]plan.MessageType{}, Readers: map[string][]string{},
	}
	for _, name := range seen.TopicNames {
		topic := inv.topic(name)
		seen.Types[name], seen.Readers[name] = topic.Type, topic.Readers
	}
	return seen
}
