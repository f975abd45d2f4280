package metadata

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Join makes one model of several: of the brokers of a cluster, or of a sheet of topics and one of
// groups. The same object in several of them is one: what only one tells is taken from it, and where
// they disagree the first one counts, which is a gap. The origin is the first one's.
func Join(all ...Cluster) (Cluster, Gaps) {
	var gaps Gaps
	var out Cluster
	for i, c := range all {
		if i == 0 {
			out.Kind, out.Version, out.Origin = c.Kind, c.Version, c.Origin
		}
		out.Brokers = append(out.Brokers, c.Brokers...)
		out.Topics = append(out.Topics, c.Topics...)
		out.Groups = append(out.Groups, c.Groups...)
		out.Subscriptions = append(out.Subscriptions, c.Subscriptions...)
		out.Order = append(out.Order, c.Order...)
		out.KV = append(out.KV, c.KV...)
		out.Users = append(out.Users, c.Users...)
	}
	out.Brokers = unite(&gaps, "broker", out.Brokers, Broker.key)
	out.Topics = unite(&gaps, "topic", out.Topics, Topic.key)
	for i, t := range out.Topics {
		if len(t.Queues) > 0 {
			out.Topics[i].Sum = nil // of these queues, or of others that are the same
		}
	}
	out.Groups = unite(&gaps, "group", out.Groups, Group.key)
	out.Subscriptions = unite(&gaps, "subscription", bestEvidence(out.Subscriptions), Subscription.key)
	out.Order = unite(&gaps, "order configuration of topic", out.Order, Order.key)
	out.KV = unite(&gaps, "key", out.KV, KV.key)
	out.Users = unite(&gaps, "user", out.Users, userKey)
	out.Sort()
	return out, gaps
}

// unite makes one object of those with the same name, in the order in which they come.
func unite[T any](gaps *Gaps, kind string, all []T, key func(T) string) []T {
	at := make(map[string]int, len(all))
	out := all[:0:0]
	for _, one := range all {
		name := key(one)
		i, there := at[name]
		if !there {
			at[name] = len(out)
			out = append(out, one)
			continue
		}
		for _, f := range fill("", reflect.ValueOf(&out[i]).Elem(), reflect.ValueOf(one)) {
			gaps.Add(fmt.Sprintf("%s of a %s", f, kind), "told differently: the first one's counts", name)
		}
	}
	return out
}

// fill takes what into doesn't know from another value, and lists what both know differently.
func fill(at string, into, from reflect.Value) (differ []string) {
	switch {
	case from.IsZero():
	case into.IsZero() && into.Kind() != reflect.Struct:
		into.Set(from)
	case into.Kind() == reflect.Struct:
		for i := range into.NumField() {
			differ = append(differ, fill(under(at, keyOf(into.Type().Field(i))), into.Field(i), from.Field(i))...)
		}
	case into.Type() == reflect.TypeFor[[]Queues]():
		return fillQueues(into, from)
	case into.Type() == reflect.TypeFor[[]string]():
		both := append(slices.Clone(into.Interface().([]string)), from.Interface().([]string)...)
		slices.Sort(both)
		into.Set(reflect.ValueOf(slices.Compact(both)))
	case !reflect.DeepEqual(into.Interface(), from.Interface()):
		return []string{at}
	}
	return differ
}

// fillQueues takes the queues of further brokers. Of the same broker, the first numbers count.
func fillQueues(into, from reflect.Value) (differ []string) {
	all := slices.Clone(into.Interface().([]Queues))
	for _, q := range from.Interface().([]Queues) {
		i := slices.IndexFunc(all, func(one Queues) bool { return one.Broker == q.Broker })
		switch {
		case i < 0:
			all = append(all, q)
		case all[i] != q:
			differ = append(differ, "queues on one broker")
		}
	}
	slices.SortStableFunc(all, func(a, b Queues) int { return cmp.Compare(a.Broker, b.Broker) })
	into.Set(reflect.ValueOf(all))
	return differ
}

// bestEvidence orders subscriptions so that the best evidence of each comes first.
func bestEvidence(all []Subscription) []Subscription {
	ranks := []Seen{SeenMembers, SeenSettings, SeenPositions, ""}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b Subscription) int {
		return cmp.Or(strings.Compare(a.key(), b.key()),
			cmp.Compare(slices.Index(ranks, a.Seen), slices.Index(ranks, b.Seen)))
	})
	out := all[:0:0]
	for _, s := range all {
		if n := len(out); n > 0 && out[n-1].key() == s.key() && s.Seen != out[n-1].Seen {
			s.Seen = out[n-1].Seen // it adds nothing but what the better one doesn't tell
		}
		out = append(out, s)
	}
	return out
}
