package activities

import (
	"context"
	"slices"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// MetadataRequest applies one chunk of a diff.
type MetadataRequest struct {
	Request
	Topics api.Names `json:"topics,omitzero"`
	Groups api.Names `json:"groups,omitzero"`
	// Inventory is what Assess found. Releases before it was here sent parts of it: Types and
	// Ordered. A closed (read-only) ordered topic opens only after its drain.
	Inventory *api.Inventory              `json:"inventory,omitempty"`
	Types     map[string]plan.MessageType `json:"types,omitempty"`
	Ordered   []string                    `json:"ordered,omitempty"`
}

// MetadataResult says what one chunk changed. A repeated chunk creates nothing.
type MetadataResult struct {
	CreatedTopics int `json:"createdTopics"`
	CreatedGroups int `json:"createdGroups"`
}

// Metadata brings topics and groups to the target.
type Metadata struct{ settings Settings }

// NewMetadata returns the activities of ImportMetadata.
func NewMetadata(s Settings) *Metadata { return &Metadata{s.withDefaults()} }

// objects is what one chunk wants and what the target has.
type objects struct {
	clusters.Both
	addr               map[string]string // target brokers
	wantTopics         map[string]map[string]rocketmq.TopicConfig
	wantGroups         map[string]rocketmq.Group
	missingTopics      map[string][]string // brokers without it
	missingGroups      map[string][]string
	same               int
	conflicts          []api.Finding
	warnings           []api.Finding
	targetBrokers      []rocketmq.Broker
	haveTopics         clusters.TopicTable
	haveGroups         clusters.GroupTable
	acceptsMixedTopics bool
	sourceBrokers      []rocketmq.Broker
	sourceTopics       clusters.TopicTable
	remain             map[string]api.Finding // what an earlier run left, by topic
}

// Diff compares what the target should have with what it has.
func (m *Metadata) Diff(ctx context.Context, r MetadataRequest) (_ api.MetadataDiff, err error) {
	defer explained(&err)
	o, err := m.compare(ctx, r)
	if err != nil {
		return api.MetadataDiff{}, err
	}
	if err := o.compareSettings(ctx, m.settings, r); err != nil {
		return api.MetadataDiff{}, err
	}
	diff := api.MetadataDiff{Same: o.same}
	if diff.CreateTopics, err = lists.Bounded(ctx, m.settings.lists(r.Request), "topics to create",
		clusters.SortedKeys(o.missingTopics), lists.NamesRoom); err != nil {
		return diff, err
	}
	if diff.CreateGroups, err = lists.Bounded(ctx, m.settings.lists(r.Request), "groups to create",
		clusters.SortedKeys(o.missingGroups), lists.NamesRoom); err != nil {
		return diff, err
	}
	diff.Warnings, err = lists.Bounded(ctx, m.settings.lists(r.Request), "warnings", o.warnings, lists.RowsRoom)
	if err != nil {
		return diff, err
	}
	diff.Conflicts, err = lists.Bounded(ctx, m.settings.lists(r.Request), "conflicts", o.conflicts, lists.RowsRoom)
	return diff, err
}

// Apply creates what is missing of one chunk and reads it back.
func (m *Metadata) Apply(ctx context.Context, r MetadataRequest) (_ MetadataResult, err error) {
	defer explained(&err)
	o, err := m.compare(ctx, r)
	if err != nil {
		return MetadataResult{}, err
	}
	if len(o.conflicts) > 0 {
		first := o.conflicts[0]
		return MetadataResult{}, fault.Conflict("%d conflicts, first: %s %s: %s", len(o.conflicts), first.Object,
			first.Cause, first.Next)
	}
	if err := o.create(ctx, func(text string) { activity.RecordHeartbeat(ctx, text) }); err != nil {
		return MetadataResult{}, err
	}
	return MetadataResult{len(o.missingTopics), len(o.missingGroups)}, m.readBack(ctx, r)
}

func (m *Metadata) readBack(ctx context.Context, r MetadataRequest) error {
	o, err := m.compare(ctx, r)
	if err != nil {
		return err
	}
	for topic, brokers := range o.missingTopics {
		return fault.NotTaken("topic %s: created, and isn't there on %v when read back", topic, brokers)
	}
	for group, brokers := range o.missingGroups {
		return fault.NotTaken("group %s: created, and isn't there on %v when read back", group, brokers)
	}
	return nil
}

func (m *Metadata) compare(ctx context.Context, r MetadataRequest) (*objects, error) {
	both, err := m.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return nil, err
	}
	if err := both.Whole(ctx); err != nil {
		return nil, err
	}
	o := &objects{
		Both: both, wantTopics: map[string]map[string]rocketmq.TopicConfig{}, wantGroups: map[string]rocketmq.Group{},
		missingTopics: map[string][]string{}, missingGroups: map[string][]string{},
	}
	w, err := m.settings.wanted(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := o.read(ctx, w); err != nil {
		return nil, err
	}
	if o.Target.Proxy() != "" {
		return o, o.compareBehindProxy(ctx, w)
	}
	if o.remain, err = findRemains(ctx, o.Both, clusters.Layout{
		SourceBrokers: o.sourceBrokers, TargetBrokers: o.targetBrokers, SourceTopics: o.sourceTopics, TargetTopics: o.haveTopics,
	}, w.topics, nil); err != nil {
		return nil, err
	}
	o.compareTopics(w.topics)
	o.compareGroups(w.groups)
	return o, nil
}

// read takes what is wanted from the source, and what there is from the target.
func (o *objects) read(ctx context.Context, r wanted) error {
	sourceBrokers, err := o.Source.FindBrokers(ctx)
	if err != nil {
		return err
	}
	topics, err := o.Source.TopicTable(ctx, sourceBrokers, nil)
	if err != nil {
		return err
	}
	groups, err := o.Source.GroupTable(ctx, sourceBrokers)
	if err != nil {
		return err
	}
	o.sourceBrokers, o.sourceTopics = sourceBrokers, topics
	names := append(slices.Clone(r.topics), clusters.CanaryTopic(o.Plan))
	for _, group := range r.groups {
		names = append(names, rocketmq.RetryTopic(group))
	}
	if err := o.readTarget(ctx, names); err != nil {
		return err
	}
	for _, name := range r.topics {
		if topics[name] == nil {
			return fault.Refused("topic %s: it is no longer on the source: run Assess again", name)
		}
		want, found := desiredTopic(name, topics[name], r.types[name], o.ordered(name, r), clusters.SortedKeys(o.addr))
		if found != nil {
			o.conflicts = append(o.conflicts, *found)
			continue
		}
		o.wantTopics[name] = want
	}
	for _, name := range r.groups {
		if groups[name] == nil {
			return fault.Refused("group %s: it is no longer on the source: run Assess again", name)
		}
		o.wantGroups[name] = desiredGroup(groups[name])
	}
	return nil
}

func (o *objects) readTarget(ctx context.Context, names []string) (err error) {
	if o.targetBrokers, err = o.Target.FindBrokers(ctx); err != nil {
		return err
	}
	o.addr = clusters.AddressesOf(o.targetBrokers)
	if o.haveTopics, err = o.Target.TopicTable(ctx, o.targetBrokers, names); err != nil || o.Target.Proxy() != "" {
		return err
	}
	if o.haveGroups, err = o.Target.GroupTable(ctx, o.targetBrokers); err != nil {
		return err
	}
	o.acceptsMixedTopics = true
	for _, b := range o.targetBrokers {
		config, err := o.Target.Client().BrokerConfig(ctx, b.Addr)
		if err != nil {
			return o.Target.Explain(ctx, err)
		}
		o.acceptsMixedTopics = o.acceptsMixedTopics && config["enableMixedMessageType"] == "true"
		o.conflicts = append(o.conflicts, closedBroker(b.Name, config)...)
	}
	return nil
}

func (o *objects) compareTopics(names []string) {
	for _, name := range names {
		if o.wantTopics[name] == nil {
			continue // can't be made, which is a conflict already
		}
		missing, found := missingTopic(name, o.wantTopics[name], o.haveTopics[name])
		if found == nil && len(missing) > 0 && !o.acceptsMixedTopics &&
			messageType(o.wantTopics[name][missing[0]]) == plan.TypeMixed {
			found = &api.Finding{
				Refusal: true, Object: "topic " + name,
				Cause: "holds messages of several types, and the target's brokers don't accept type MIXED",
				Next: "set enableMixedMessageType=true on the target's brokers, or choose a type in " +
					"topics.types." + name,
			}
		}
		if left, some := o.remain[name]; some && found != nil {
			found = &left // says more of the same
		}
		switch {
		case found != nil:
			o.conflicts = append(o.conflicts, *found)
		case len(missing) > 0:
			o.missingTopics[name] = missing
		default:
			o.same++
		}
	}
}

func (o *objects) compareGroups(names []string) {
	for _, name := range names {
		missing, found := missingGroup(name, o.wantGroups[name], o.haveGroups[name], clusters.SortedKeys(o.addr))
		switch {
		case found != nil:
			o.conflicts = append(o.conflicts, *found)
		case len(missing) > 0:
			o.missingGroups[name] = missing
		default:
			o.same++
		}
	}
}

// create makes what is missing, and tells how far it is.
func (o *objects) create(ctx context.Context, tell func(string)) error {
	client := o.Target.Client()
	for _, name := range clusters.SortedKeys(o.missingTopics) {
		tell("topic " + name)
		for _, broker := range o.missingTopics[name] {
			if err := client.CreateTopic(ctx, o.addr[broker], o.wantTopics[name][broker]); err != nil {
				return o.Target.Explain(ctx, err)
			}
		}
	}
	for _, name := range clusters.SortedKeys(o.missingGroups) {
		tell("group " + name)
		for _, broker := range o.missingGroups[name] {
			if err := client.PutGroup(ctx, o.addr[broker], o.wantGroups[name]); err != nil {
				return o.Target.Explain(ctx, err)
			}
		}
	}
	return nil
}
