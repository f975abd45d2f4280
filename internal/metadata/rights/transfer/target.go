package transfer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rocketshift/internal/metadata/rights"
	"rocketshift/internal/metadata/rights/acl2"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// node is a master or slave of the target, with what it holds.
type node struct {
	acl2.Broker
	rules rights.Rules
	state acl2.State
}

// firstWithOrder is the first version whose brokers order entries as they say.
const firstWithOrder = "5.4"

// nodes reads all masters and slaves of the target: each has users of its own.
func nodes(ctx context.Context, target *rocketmq.Cluster) ([]*node, error) {
	known, err := target.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	masters, err := target.Brokers(ctx)
	if err != nil {
		return nil, err
	}
	versions := map[string]string{}
	for _, b := range masters {
		versions[b.Name] = b.Version
	}
	var all []*node
	for _, k := range known {
		name := k.Name
		if k.ID != 0 {
			name = fmt.Sprintf("%s, slave %d", k.Name, k.ID)
		}
		n := &node{Broker: acl2.Broker{Client: target.Client(), Name: name, Addr: k.Addr}, rules: rights.Rules54}
		if version := versions[k.Name]; version == "" || remoting.Earlier(version, firstWithOrder) {
			n.rules = rights.Rules53
		}
		if n.state, err = n.Read(ctx); err != nil {
			return nil, fmt.Errorf("target: %w", err)
		}
		all = append(all, n)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("target %s: it has no brokers", strings.Join(target.NameServers(), ", "))
	}
	return all, nil
}

// named are the names of topics and groups on the target, as the source calls them, but for
// RocketMQ's own.
func named(ctx context.Context, target *rocketmq.Cluster) (topics, groups []string, err error) {
	brokers, err := target.Brokers(ctx)
	if err != nil {
		return nil, nil, err
	}
	var own []string // names of brokers are names of topics too
	for _, b := range brokers {
		own = append(own, b.Name)
	}
	foundTopics, foundGroups := map[string]bool{}, map[string]bool{}
	for _, b := range brokers {
		t, err := target.Client().TopicConfigs(ctx, b.Addr)
		if err != nil {
			return nil, nil, err
		}
		for name := range t {
			if _, retry := rocketmq.RetryGroup(name); !retry && !rocketmq.SystemTopic(name, b.Cluster, own) {
				foundTopics[name] = true
			}
		}
		g, err := target.Client().Groups(ctx, b.Addr)
		if err != nil {
			return nil, nil, err
		}
		for name := range g {
			if !rocketmq.SystemGroup(name) {
				foundGroups[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(foundTopics)), slices.Sorted(maps.Keys(foundGroups)), nil
}

// sameRights reports whether two lists decide alike: the same entries and, where the order may
// decide, in the same order.
func sameRights(a, b []rights.Right, by rights.Rules) bool {
	keys := func(list []rights.Right) (all []string) {
		for _, r := range list {
			r.Actions = slices.Sorted(slices.Values(r.Actions))
			r.Sources = sorted(r.Sources)
			all = append(all, fmt.Sprintf("%t %v %v %s %q", r.Default, r.Resource, r.Actions, r.Decision, r.Sources))
		}
		return all
	}
	here, there := keys(a), keys(b)
	if by == rights.Rules54 {
		slices.Sort(here)
		slices.Sort(there)
	}
	return slices.Equal(here, there)
}

// ReadTarget reads the users of each master and slave of a cluster with ACL 2.0, without secrets.
func ReadTarget(ctx context.Context, target *rocketmq.Cluster) (map[string][]rights.User, error) {
	all, err := nodes(ctx, target)
	if err != nil {
		return nil, err
	}
	out := map[string][]rights.User{}
	for _, n := range all {
		out[n.Name] = n.state.Users
	}
	return out, nil
}
