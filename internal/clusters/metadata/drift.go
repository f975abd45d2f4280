package metadata

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// What was brought over may change on the source afterwards. New topics and queues get lanes by
// Follow; what else differs is said, and new groups and settings of groups are brought over too if
// the plan says so. Nothing is deleted: applications of the target may use it.
//
// Steps name their groups, and were approved with these: a group that came later gets its settings
// and its positions on the target, and no step moves it.

// Drifted is a group that isn't on the target as it is on the source by now.
type Drifted struct{ Group, Cause string }

// String is the drift in one line.
func (d Drifted) String() string { return fmt.Sprintf("group %s: %s", d.Group, d.Cause) }

// Drift lists the plan's groups that aren't on the target as on the source, after the steps of a
// migration. Those that the plan keeps otherwise don't count, nor whether groups are open, but for
// those that were brought over later and that no step has moved. A proxy tells no groups.
func Drift(ctx context.Context, s clusters.Both, l clusters.Layout) ([]Drifted, error) {
	found, err := driftOf(ctx, s, l)
	if err != nil || s.Plan.Metadata.Drift != plan.DriftFollow || s.Plan.Traffic.Mode == plan.ModeGateway {
		return found.drifted, err // gateways lead groups that are open on both sides
	}
	for _, name := range found.source.Selected(s.Plan) {
		if found.source.All(name, true) && found.target.All(name, false) {
			found.drifted = append(found.drifted, Drifted{name, "was brought over after Assess, and no step has " +
				"moved it: it is closed on the target, and open on the source; migrate it with a plan of its own"})
		}
	}
	return found.drifted, nil
}

// drift is what differs, with both sides' groups.
type drift struct {
	drifted        []Drifted
	source, target clusters.GroupTable
}

func driftOf(ctx context.Context, s clusters.Both, l clusters.Layout) (d drift, err error) {
	if s.Target.Proxy() != "" {
		return d, nil
	}
	if d.source, err = s.Source.GroupTable(ctx, l.SourceBrokers); err != nil {
		return d, err
	}
	if d.target, err = s.Target.GroupTable(ctx, l.TargetBrokers); err != nil {
		return d, err
	}
	brokers := clusters.SortedKeys(clusters.AddressesOf(l.TargetBrokers))
	for _, name := range d.source.Selected(s.Plan) {
		cause := groupDrift(desiredGroup(d.source[name]), d.target[name], brokers)
		if cause != "" && s.Plan.Metadata.GroupDecision(name) != plan.DecisionKeep {
			d.drifted = append(d.drifted, Drifted{name, cause})
		}
	}
	return d, nil
}

func groupDrift(want rocketmq.Group, have map[string]rocketmq.Group, brokers []string) string {
	if len(have) == 0 {
		return "is on the source and not on the target: it came after Assess, so that no step moves it; migrate " +
			"it with a plan of its own, or let metadata.drift follow, which makes it there"
	}
	for _, broker := range brokers {
		found, there := have[broker]
		if !there {
			return fmt.Sprintf("is missing on target broker %s: run ImportMetadata again", broker)
		}
		if difference := groupDifference(want, found); difference != "" {
			return fmt.Sprintf("changed: target broker %s has %s, as the source has it", broker, difference)
		}
	}
	return ""
}

// Drift says what changed on the source since its topics and groups were brought over, and brings
// over settings of groups if the plan says so. A group that has moved is the target's: it is only
// told.
func (f *Follower) Drift(ctx context.Context, l clusters.Layout) (told []string, err error) {
	if f == nil {
		return nil, nil
	}
	found, err := driftOf(ctx, f.Both, l)
	if err != nil {
		return nil, err
	}
	for _, d := range found.drifted {
		there, want := found.target[d.Group], desiredGroup(found.source[d.Group])
		isNew := len(there) == 0
		if f.Plan.Metadata.Drift != plan.DriftFollow || !isNew && !found.target.All(d.Group, false) {
			told = append(told, d.String())
			continue
		}
		if isNew && f.Plan.Traffic.Mode == plan.ModeGateway { // as all groups behind gateways
			want.ConsumeEnable = found.source.All(d.Group, true)
		}
		want.Orderly = f.orderly(ctx, l, want, there)
		if err := f.bring(ctx, l, want, there); err != nil {
			return append(told, fmt.Sprintf("group %s: it can't be brought over: %v", d.Group, err)), nil
		}
		if isNew {
			f.late[d.Group] = true
		}
	}
	told = append(told, f.unmoved(found)...)
	return append(told, f.gone(l, found.source)...), nil
}

// orderly is whether a group is orderly on the target: as the source says; where the source is of
// 4.x and has no such setting, as the target's brokers have it, or a new group's members read. A
// group whose members don't say becomes a concurrent one, as it is by itself.
func (f *Follower) orderly(
	ctx context.Context, l clusters.Layout, want rocketmq.Group, there map[string]rocketmq.Group,
) bool {
	switch {
	case want.TellsOrderly():
		return want.Orderly
	case len(there) > 0: // on some brokers, perhaps, since the last look was cut off
		return slices.ContainsFunc(slices.Collect(maps.Values(there)), func(g rocketmq.Group) bool { return g.Orderly })
	case !tellOrder(l.TargetBrokers):
		return false
	}
	orderly, known, err := f.Source.ConsumesInOrder(ctx, l.SourceBrokers, want.Name)
	return err == nil && known && orderly
}

// unmoved says what becomes of groups that this follower has brought over.
func (f *Follower) unmoved(d drift) (told []string) {
	for _, group := range clusters.SortedKeys(f.late) {
		if len(d.source[group]) > 0 {
			told = append(told, fmt.Sprintf("group %s: came after Assess, and was made on the target with the source's "+
				"settings; its positions follow, and no step moves it: migrate it with a plan of its own", group))
		}
	}
	return told
}

// bring gives a group of the target the source's settings.
func (f *Follower) bring(
	ctx context.Context, l clusters.Layout, want rocketmq.Group, there map[string]rocketmq.Group,
) error {
	for _, b := range l.TargetBrokers {
		group := want
		if have, has := there[b.Name]; has {
			if groupDifference(want, have) == "" {
				continue
			}
			group = want.Over(have)
		}
		if err := f.Target.Client().PutGroup(ctx, b.Addr, group); err != nil {
			return f.Target.Explain(ctx, err)
		}
	}
	return nil
}

// gone are topics and groups that the source had when this follower saw it before.
func (f *Follower) gone(l clusters.Layout, source clusters.GroupTable) (told []string) {
	const left = "was deleted on the source; the target's stays: delete it there if nobody needs it"
	for _, topic := range clusters.SortedKeys(f.known) {
		if len(l.SourceTopics[topic]) == 0 {
			told = append(told, fmt.Sprintf("topic %s: %s", topic, left))
		}
	}
	now := source.Selected(f.Plan)
	for _, group := range clusters.SortedKeys(f.groups) {
		if _, still := slices.BinarySearch(now, group); !still {
			told = append(told, fmt.Sprintf("group %s: %s", group, left))
		}
	}
	for _, group := range now {
		f.groups[group] = true
	}
	return told
}
