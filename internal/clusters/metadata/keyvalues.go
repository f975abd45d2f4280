package metadata

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rocketshift/internal/clusters"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

// Name servers keep an order configuration of topics: which queues producers see, whatever the
// topic's permission. It has names of brokers and numbers of queues, so that the target needs
// another one than the source: of the same queues, where their pairs are. Each name server has its
// own.

// keyValue is a key that a name server of the target lacks, or has otherwise.
type keyValue struct{ nameServer, namespace, key, value string }

func (kv keyValue) String() string {
	return fmt.Sprintf("key %s of namespace %s on name server %s", kv.key, kv.namespace, kv.nameServer)
}

// keys are what the name servers of one side have in a namespace.
type keys map[string]map[string]string // by name server and key

func keysOf(ctx context.Context, c *clusters.One, namespace string) (keys, error) {
	all := keys{}
	for _, ns := range c.NameServers() {
		found, err := c.Client().KVList(ctx, ns, namespace)
		if err != nil {
			return nil, c.Explain(ctx, err)
		}
		all[ns] = found
	}
	return all, nil
}

// any are the keys that a name server has, of the first one that has each.
func (k keys) any(nameServers []string) map[string]string {
	all := map[string]string{}
	for _, ns := range nameServers {
		for key, value := range k[ns] {
			if _, known := all[key]; !known {
				all[key] = value
			}
		}
	}
	return all
}

// compareKV compares the order configurations of the chunk's topics, and the plan's namespaces if
// they are asked for.
func (o *Chunk) compareKV(ctx context.Context, w Wanted) error {
	if len(w.Topics) > 0 {
		if err := o.compareOrder(ctx, w); err != nil {
			return err
		}
	}
	if !w.KV {
		return nil
	}
	for _, namespace := range o.Plan.Metadata.KV {
		from, err := o.wantedKeys(ctx, namespace)
		if err != nil {
			return err
		}
		there, err := keysOf(ctx, o.Target, namespace)
		if err != nil {
			return err
		}
		o.compareKeys(namespace, from, there,
			func(string) plan.Decision { return o.Plan.Metadata.TopicDecision("") })
	}
	return nil
}

// wantedKeys are the source's keys of a namespace.
func (o *Chunk) wantedKeys(ctx context.Context, namespace string) (map[string]string, error) {
	if o.Source == nil {
		return o.sourceKV[namespace], nil
	}
	from, err := keysOf(ctx, o.Source, namespace)
	return from.any(o.Source.NameServers()), err
}

// compareOrder compares order configurations. A topic that is made closed gets its own when it is
// opened: producers would write into it, whatever its permission.
func (o *Chunk) compareOrder(ctx context.Context, w Wanted) error {
	source, err := o.wantedKeys(ctx, rocketmq.OrderNamespace)
	if err != nil {
		return err
	}
	want := map[string]string{}
	topicOf := map[string]string{}
	for _, name := range w.Topics {
		config, ordered := source[name]
		if !ordered || o.wantTopics[name] == nil {
			continue
		}
		value, err := translateOrder(name, config, o.sourceTopics, o.laidOut(name))
		if err != nil {
			o.Warnings = append(o.Warnings, findings.OrderNotCarried.Warning("topic "+name, "",
				"its order configuration %q isn't brought over: %v", config, err))
		}
		if err != nil || o.ordered(name, w) && !w.Open {
			continue
		}
		key := o.Plan.Target.Topic(name)
		topicOf[key], want[key] = name, value
	}
	if len(want) == 0 {
		return nil
	}
	there, err := keysOf(ctx, o.Target, rocketmq.OrderNamespace)
	if err != nil {
		return err
	}
	o.compareKeys(rocketmq.OrderNamespace, want, there,
		func(key string) plan.Decision { return o.Plan.Metadata.TopicDecision(topicOf[key]) })
	return nil
}

// laidOut are the queues of a topic on the target as they will be.
func (o *Chunk) laidOut(name string) clusters.TopicTable {
	all := clusters.TopicTable{name: {}}
	for broker, config := range o.wantTopics[name] {
		all[name][broker] = config
	}
	if o.Plan.Metadata.TopicDecision(name) == plan.DecisionKeep && len(o.haveTopics[name]) > 0 {
		all[name] = o.haveTopics[name]
	}
	return all
}

// compareKeys finds what name servers of the target lack, or have otherwise.
func (o *Chunk) compareKeys(
	namespace string, want map[string]string, there keys, decide func(string) plan.Decision,
) {
	for _, ns := range o.Target.NameServers() {
		for _, key := range clusters.SortedKeys(want) {
			have, exists := there[ns][key]
			if have == want[key] {
				continue
			}
			kv := keyValue{ns, namespace, key, want[key]}
			found := *conflictFinding(findings.KeyExistsOtherwise, kv.String(), fmt.Sprintf("is %q, wanted is %q", have, want[key]))
			switch decision := decide(key); {
			case !exists:
				o.KV = append(o.KV, kv)
			case decision == plan.DecisionKeep:
				o.Kept = append(o.Kept, asDecided(found, "kept"))
			case decision == plan.DecisionChange:
				o.KV = append(o.KV, kv)
				o.Changes = append(o.Changes, asDecided(found, "changed"))
			default:
				o.Conflicts = append(o.Conflicts, found)
			}
		}
	}
}

// translateOrder is a topic's order configuration with the queues' pairs on the target.
func translateOrder(
	topic, config string, source, target clusters.TopicTable,
) (string, error) {
	lanes, err := lane.Pair(topic, source.Queues(topic), target.Queues(topic))
	if err != nil {
		return "", err
	}
	pairs := map[lane.Queue]lane.Queue{}
	for _, l := range lanes {
		pairs[l.Source] = l.Target
	}
	ids := map[string][]int{}
	for part := range strings.SplitSeq(config, ";") {
		broker, number, _ := strings.Cut(strings.TrimSpace(part), ":")
		if broker == "" {
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 || n > len(pairs) {
			return "", fmt.Errorf("%q is no broker with its number of queues", part)
		}
		for id := range n {
			to, paired := pairs[lane.Queue{Broker: broker, ID: id}]
			if !paired {
				return "", fmt.Errorf("the source has no queue %s/%d", broker, id)
			}
			ids[to.Broker] = append(ids[to.Broker], to.ID)
		}
	}
	return firstQueues(ids)
}

// firstQueues writes an order configuration, which shows the first queues of each broker.
func firstQueues(ids map[string][]int) (string, error) {
	var parts []string
	for _, broker := range clusters.SortedKeys(ids) {
		of := ids[broker]
		slices.Sort(of)
		for i, id := range of {
			if i != id {
				return "", fmt.Errorf("producers would see queue %d of %s and not queue %d: an order "+
					"configuration shows the first queues", id, broker, i)
			}
		}
		parts = append(parts, fmt.Sprintf("%s:%d", broker, len(of)))
	}
	return strings.Join(parts, ";"), nil
}

// ShowOrder brings over the order configurations of topics that have been opened on the target. A
// source without any costs one call.
func ShowOrder(ctx context.Context, both clusters.Both, topics []string) error {
	if both.Target.Proxy() != "" {
		return nil
	}
	from, err := keysOf(ctx, both.Source, rocketmq.OrderNamespace)
	if err != nil {
		return err
	}
	source := from.any(both.Source.NameServers())
	topics = slices.DeleteFunc(slices.Clone(topics), func(t string) bool { return source[t] == "" })
	if len(topics) == 0 {
		return nil
	}
	l, err := both.Layout(ctx)
	if err != nil {
		return err
	}
	for _, topic := range topics {
		value, err := translateOrder(topic, source[topic], l.SourceTopics, l.TargetTopics)
		if err != nil {
			continue // ImportMetadata has said so; without one, producers see what the topic shows
		}
		for _, ns := range both.Target.NameServers() {
			err := both.Target.Client().PutKV(ctx, ns, rocketmq.OrderNamespace, both.Plan.Target.Topic(topic), value)
			if err != nil {
				return both.Target.Explain(ctx, err)
			}
		}
	}
	return nil
}

// HideOrder takes away the order configurations of topics before they are closed on the target:
// producers would go on to write. It is part of ways back, so that a name server that doesn't answer
// holds up nothing.
func HideOrder(ctx context.Context, target *clusters.One, name func(string) string, topics []string) error {
	if target.Proxy() != "" {
		return nil
	}
	for _, ns := range target.NameServers() {
		there, err := target.Client().KVList(ctx, ns, rocketmq.OrderNamespace)
		for _, topic := range topics {
			if _, exists := there[name(topic)]; exists && err == nil {
				err = target.Client().DeleteKV(ctx, ns, rocketmq.OrderNamespace, name(topic))
			}
		}
		if err != nil && !remoting.Unreachable(err) {
			return target.Explain(ctx, err)
		}
	}
	return nil
}
