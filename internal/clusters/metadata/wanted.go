package metadata

import (
	"context"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// Wanted is what one chunk is about, with what Assess found of it.
type Wanted struct {
	Topics, Groups []string
	Types          map[string]plan.MessageType
	Ordered        map[string]bool
	// Orderly are groups whose members read in order, which 4.x keeps in no setting.
	Orderly map[string]bool
	// KV asks for the keys of the plan's namespaces, besides the order configuration of Topics.
	KV bool
	// Open makes ordered topics writable, and groups as open as on the source: no migration follows
	// that would open them.
	Open bool
}

// Tables are topics, groups and keys that are wanted where no source is open: those of a model.
type Tables struct {
	Brokers []rocketmq.Broker
	Topics  clusters.TopicTable
	Groups  clusters.GroupTable
	KV      map[string]map[string]string // by namespace and key
}

// tables reports which tables have to be read: each is long, and takes long to read. Behind a proxy
// groups need topics.
func (o *Chunk) tables() (topics, groups bool) {
	groups = len(o.wanted.Groups) > 0
	return len(o.wanted.Topics) > 0 || groups && o.Target.Proxy() != "", groups
}

func (o *Chunk) readSource(ctx context.Context) (err error) {
	if o.sourceBrokers, err = o.Source.FindBrokers(ctx); err != nil {
		return err
	}
	topics, groups := o.tables()
	if topics {
		if o.sourceTopics, err = o.Source.TopicTable(ctx, o.sourceBrokers, nil); err != nil {
			return err
		}
	}
	if groups {
		o.sourceGroups, err = o.Source.GroupTable(ctx, o.sourceBrokers)
	}
	return err
}

// want is what the target should have, by the source.
func (o *Chunk) want(w Wanted) error {
	for _, name := range w.Topics {
		if o.sourceTopics[name] == nil {
			return fault.Refused("topic %s: it is no longer on the source: run Assess again", name)
		}
		want, found := desiredTopic(name, o.sourceTopics[name], w.Types[name], o.ordered(name, w),
			clusters.SortedKeys(o.addr))
		if found != nil {
			o.Conflicts = append(o.Conflicts, *found)
			continue
		}
		for broker, config := range want {
			if w.Open {
				config.Perm |= rocketmq.PermWrite
				want[broker] = config
			}
		}
		o.wantTopics[name] = want
	}
	for _, name := range w.Groups {
		if o.sourceGroups[name] == nil {
			return fault.Refused("group %s: it is no longer on the source: run Assess again", name)
		}
		of := desiredGroup(o.sourceGroups[name])
		of.ConsumeEnable = w.Open && o.sourceGroups.All(name, true)
		of.Orderly = o.orderly(name, of)
		o.wantGroups[name] = of
	}
	return nil
}

// orderly is whether the group is made orderly: as the source says, or as its members read, where
// the source is of 4.x and has no such setting. What the target has is left as it is.
func (o *Chunk) orderly(name string, of rocketmq.Group) bool {
	have := o.haveGroups[name]
	switch {
	case of.TellsOrderly():
		return of.Orderly
	case len(have) > 0:
		for _, there := range have {
			if !there.Orderly {
				return false
			}
		}
		return true
	}
	return tellOrder(o.targetBrokers) && o.wanted.Orderly[name]
}

// tellOrder reports whether all brokers have groups that are orderly or not.
func tellOrder(brokers []rocketmq.Broker) bool {
	return !slices.ContainsFunc(brokers, func(b rocketmq.Broker) bool {
		return remoting.Earlier(b.Version, firstOrderly)
	})
}

// firstOrderly is the first version with the setting.
const firstOrderly = "5.0"

// From takes what Assess found of topics and groups.
func (w *Wanted) From(found api.Assessment) {
	w.Types, w.Orderly = map[string]plan.MessageType{}, map[string]bool{}
	if w.Ordered == nil {
		w.Ordered = map[string]bool{}
	}
	for _, t := range found.Topics {
		w.Types[t.Name], w.Ordered[t.Name] = t.Type, t.Ordered
	}
	for _, g := range found.Groups {
		w.Orderly[g.Name] = g.Orderly
	}
}

func (o *Chunk) ordered(topic string, r Wanted) bool {
	return r.Ordered[topic] || o.Plan.Ordered(topic)
}
