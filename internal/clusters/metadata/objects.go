package metadata

import (
	"context"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// CompareSettings finds how both sides' brokers are configured otherwise. Groups are asked only
// where one may depend on it.
func (o *Chunk) CompareSettings(ctx context.Context, want Wanted) error {
	source, err := o.Source.BrokerSettings(ctx, o.sourceBrokers)
	if err != nil {
		return err
	}
	target, err := o.Target.BrokerSettings(ctx, o.targetBrokers)
	if err != nil {
		return err
	}
	uses := brokerconfig.Uses{}
	if brokerconfig.Depend(target) {
		members, err := o.Source.MembersOf(ctx, o.sourceBrokers, want.Groups)
		if err != nil {
			return err
		}
		uses = clusters.UsesOf(members, want.Groups)
		for _, topic := range want.Topics {
			if want.Types[topic] == plan.TypeTransaction {
				uses[brokerconfig.Transacting] = append(uses[brokerconfig.Transacting], topic)
			}
		}
	}
	for _, f := range clusters.Differences(brokerconfig.Compare(source, target, uses)) {
		if f.Refusal {
			o.Conflicts = append(o.Conflicts, f)
		} else {
			o.Warnings = append(o.Warnings, f)
		}
	}
	return nil
}

// Chunk is what one chunk wants and what the target has.
type Chunk struct {
	clusters.Both
	addr               map[string]string // target brokers
	wantTopics         map[string]map[string]rocketmq.TopicConfig
	wantGroups         map[string]rocketmq.Group
	MissingTopics      map[string][]string // brokers without it
	MissingGroups      map[string][]string
	ChangedTopics      map[string]map[string]rocketmq.TopicConfig // as they are to be, by broker
	ChangedGroups      map[string]map[string]rocketmq.Group
	KV                 []keyValue // that name servers of the target lack
	Same               int
	Conflicts          []api.Finding
	Changes, Kept      []api.Finding // by the plan's decisions
	Warnings           []api.Finding
	targetBrokers      []rocketmq.Broker
	haveTopics         clusters.TopicTable
	haveGroups         clusters.GroupTable
	acceptsMixedTopics bool
	sourceBrokers      []rocketmq.Broker
	sourceTopics       clusters.TopicTable
	sourceGroups       clusters.GroupTable
	sourceKV           map[string]map[string]string // of tables; else name servers are asked
	wanted             Wanted
	remain             map[string]leftover // what an earlier run left, by topic
}

// Compare compares what one chunk wants with what the target has.
func Compare(ctx context.Context, both clusters.Both, w Wanted) (*Chunk, error) {
	o := newChunk(both, w)
	if err := o.readSource(ctx); err != nil {
		return nil, err
	}
	return o, o.compare(ctx)
}

// CompareTables compares what one chunk of tables wants with what the target has; both need no
// source.
func CompareTables(ctx context.Context, both clusters.Both, t Tables, w Wanted) (*Chunk, error) {
	o := newChunk(both, w)
	o.sourceBrokers, o.sourceTopics, o.sourceGroups, o.sourceKV = t.Brokers, t.Topics, t.Groups, t.KV
	return o, o.compare(ctx)
}

// Again compares with what the target has by now. The source is as it was read: what is made must
// be what was decided on.
func (o *Chunk) Again(ctx context.Context) (*Chunk, error) {
	next := newChunk(o.Both, o.wanted)
	next.sourceBrokers, next.sourceTopics, next.sourceGroups = o.sourceBrokers, o.sourceTopics, o.sourceGroups
	next.sourceKV = o.sourceKV
	return next, next.compare(ctx)
}

func newChunk(both clusters.Both, w Wanted) *Chunk {
	return &Chunk{
		Both: both, wanted: w,
		wantTopics: map[string]map[string]rocketmq.TopicConfig{}, wantGroups: map[string]rocketmq.Group{},
		MissingTopics: map[string][]string{}, MissingGroups: map[string][]string{},
		ChangedTopics: map[string]map[string]rocketmq.TopicConfig{},
		ChangedGroups: map[string]map[string]rocketmq.Group{},
	}
}

func (o *Chunk) compare(ctx context.Context) error {
	w := o.wanted
	if err := o.readTarget(ctx); err != nil {
		return err
	}
	if err := o.want(w); err != nil {
		return err
	}
	if o.Target.Proxy() != "" {
		return o.compareBehindProxy(ctx, w)
	}
	if o.Source != nil { // else nothing was copied
		var err error
		if o.remain, err = leftoversOf(ctx, o.Both, clusters.Layout{
			SourceBrokers: o.sourceBrokers, TargetBrokers: o.targetBrokers,
			SourceTopics: o.sourceTopics, TargetTopics: o.haveTopics,
		}, w.Topics, nil); err != nil {
			return err
		}
	}
	if err := o.compareTopics(ctx, w.Topics); err != nil {
		return err
	}
	o.compareGroups(w.Groups)
	return o.compareKV(ctx, w)
}

func (o *Chunk) readTarget(ctx context.Context) (err error) {
	if o.targetBrokers, err = o.Target.FindBrokers(ctx); err != nil {
		return err
	}
	o.addr = clusters.AddressesOf(o.targetBrokers)
	topics, groups := o.tables()
	if topics {
		o.haveTopics, err = o.Target.TopicTable(ctx, o.targetBrokers, o.looked())
	}
	if err != nil || o.Target.Proxy() != "" {
		return err
	}
	if groups {
		if o.haveGroups, err = o.Target.GroupTable(ctx, o.targetBrokers); err != nil {
			return err
		}
	}
	o.acceptsMixedTopics = true
	for _, b := range o.targetBrokers {
		config, err := o.Target.Client().BrokerConfig(ctx, b.Addr)
		if err != nil {
			return o.Target.Explain(ctx, err)
		}
		o.acceptsMixedTopics = o.acceptsMixedTopics && config["enableMixedMessageType"] == "true"
		o.Conflicts = append(o.Conflicts, closedBroker(b.Name, config)...)
	}
	return nil
}

// looked are the topics that a proxy is asked for, as it lists none.
func (o *Chunk) looked() []string {
	names := append(slices.Clone(o.wanted.Topics), clusters.CanaryTopic(o.Plan))
	for _, group := range o.wanted.Groups {
		names = append(names, rocketmq.RetryTopic(group))
	}
	return names
}

func (o *Chunk) compareTopics(ctx context.Context, names []string) error {
	for _, name := range names {
		if o.wantTopics[name] == nil {
			continue // can't be made, which is a conflict already
		}
		missing, found := missingTopic(name, o.wantTopics[name], o.haveTopics[name])
		left, some := o.remain[name]
		switch {
		case some && found != nil && !o.growsAsWanted(name, left):
			o.Conflicts = append(o.Conflicts, left.Finding) // says more of the same
		case found != nil:
			if some {
				found.Cause = left.Cause
				found.Next = left.Next + decided
			}
			if err := o.decideTopic(ctx, name, *found); err != nil {
				return err
			}
		case len(missing) > 0 && !o.acceptsMixedTopics &&
			MessageType(o.wantTopics[name][missing[0]]) == plan.TypeMixed:
			o.Conflicts = append(o.Conflicts, findings.MixedRefused.Refusal("topic "+name,
				"set enableMixedMessageType=true on the target's brokers, or choose a type in topics.types."+name,
				"holds messages of several types, and the target's brokers don't accept type MIXED"))
		case len(missing) > 0:
			o.MissingTopics[name] = missing
		default:
			o.Same++
		}
	}
	return nil
}

// growsAsWanted reports whether a topic with too few queues, and copies in some of them, gets what
// it lacks by the wanted settings.
func (o *Chunk) growsAsWanted(name string, left leftover) bool {
	for broker, want := range o.wantTopics[name] {
		if left.grow[broker] != want.Queues() {
			return false
		}
	}
	return len(left.grow) >= len(o.wantTopics[name])
}

func (o *Chunk) compareGroups(names []string) {
	for _, name := range names {
		missing, found := missingGroup(name, o.wantGroups[name], o.haveGroups[name], clusters.SortedKeys(o.addr))
		switch {
		case found != nil:
			o.decideGroup(name, *found)
		case len(missing) > 0:
			o.MissingGroups[name] = missing
		default:
			o.Same++
		}
	}
}
