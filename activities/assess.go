package activities

import (
	"context"
	"slices"
	"sort"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// Assess reads what there is before anything is bought or written.
type Assess struct{ settings Settings }

// NewAssess returns the activities of Assess.
func NewAssess(s Settings) *Assess { return &Assess{s.withDefaults()} }

// Assess returns the inventory of the source and what speaks against a migration. Refusals are
// findings, not errors; a source that is down is an error that is tried again until it returns.
func (a *Assess) Assess(ctx context.Context, r Request) (_ api.Inventory, err error) {
	defer explained(&err)
	p := r.Plan.WithDefaults()
	source, err := a.settings.clusters().Source(p)
	if err != nil {
		return api.Inventory{}, err
	}
	gaps, err := source.GapFindings(ctx)
	if err != nil {
		return api.Inventory{}, err
	}
	inv, err := takeInventory(ctx, source, p, func(text string) { activity.RecordHeartbeat(ctx, text) })
	if err != nil {
		return api.Inventory{}, err
	}
	target, err := a.lookAtTarget(ctx, p)
	if err != nil {
		return api.Inventory{}, err
	}
	configured, err := source.BrokerSettings(ctx, inv.brokers)
	if err != nil {
		return api.Inventory{}, err
	}
	left, err := a.settings.remainsFindings(ctx, p, inv, target.brokers)
	if err != nil {
		return api.Inventory{}, err
	}
	lacking, err := slavesLack(ctx, source, inv)
	if err != nil {
		return api.Inventory{}, err
	}
	twice, err := a.elsewhereOnTarget(ctx, p, inv, target)
	if err != nil {
		return api.Inventory{}, err
	}
	result := inv.assessment()
	result.Findings = slices.Concat(gaps, target.gaps, left, lacking, twice, inv.findings(target.brokers),
		clusters.Differences(brokerconfig.Compare(configured, target.settings, inv.uses())),
		inv.gatewayFindings(ctx, a.settings), leftBehind(p.Source.LeftOut), slaveFindings(inv.brokers))
	clusters.RefusalsFirst(result.Findings)
	return lists.Inventory(ctx, a.settings.lists(r), result)
}

// inventory is what one look at the source saw.
type inventory struct {
	plan      plan.Plan
	brokers   []rocketmq.Broker
	topics    clusters.TopicTable
	groups    clusters.GroupTable
	positions map[string]clusters.Committed
	online    map[string]clusters.Connections // of every group that isn't a broker's own, selected or not
	producers map[string]map[string]rocketmq.Connection
	untold    []string        // brokers that don't tell who produces
	orderly   map[string]bool // groups with an orderly member
	silent    []string        // groups with members of which none says whether it is orderly
	messages  map[string]int64
	samples   map[string]sample
	routes    map[string]rocketmq.Route // what name servers show clients
	unsampled map[string]error
	at        time.Time
}

// takeInventory looks at a cluster, and tells how far it is.
func takeInventory(ctx context.Context, c *clusters.One, p plan.Plan, tell func(string)) (*inventory, error) {
	inv := &inventory{
		plan: p, messages: map[string]int64{}, samples: map[string]sample{},
		unsampled: map[string]error{}, routes: map[string]rocketmq.Route{},
	}
	var err error
	if inv.brokers, err = c.FindBrokers(ctx); err != nil {
		return nil, err
	}
	if inv.topics, err = c.TopicTable(ctx, inv.brokers, nil); err != nil {
		return nil, err
	}
	if inv.groups, err = c.GroupTable(ctx, inv.brokers); err != nil {
		return nil, err
	}
	if inv.positions, err = c.Positions(ctx, inv.brokers); err != nil {
		return nil, err
	}
	if inv.online, err = c.MembersOf(ctx, inv.brokers, applicationGroups(inv.groups)); err != nil {
		return nil, err
	}
	if inv.producers, inv.untold, err = c.Producers(ctx, inv.brokers); err != nil {
		return nil, err
	}
	inv.orderly, inv.silent = howGroupsConsume(ctx, inv.groups.Selected(p), inv.online,
		askMember(c, inv.online), tell)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	err = measureTopics(ctx, c, inv, tell)
	inv.at = time.Now().UTC()
	return inv, err
}

func applicationGroups(groups clusters.GroupTable) []string {
	var names []string
	for name := range groups {
		if !clusters.SystemGroup(name) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// measureTopics counts and samples every selected topic.
func measureTopics(ctx context.Context, c *clusters.One, inv *inventory, tell func(string)) error {
	var mu sync.Mutex
	addr := clusters.AddressesOf(inv.brokers)
	return clusters.Each(ctx, inv.topics.Selected(inv.plan, inv.brokers), func(ctx context.Context, topic string) error {
		tell("topic " + topic)
		ranges, err := c.Ranges(ctx, inv.brokers, inv.topics, topic)
		if err != nil {
			return err
		}
		seen, lookErr := sampleTopic(ctx, c, addr, topic, ranges)
		if lookErr != nil && remoting.CodeOf(lookErr) < 0 {
			return c.Explain(ctx, lookErr)
		}
		route, err := c.Route(ctx, topic)
		if err != nil && remoting.CodeOf(err) != remoting.TopicNotExist { // without a route clients see nothing
			return c.Explain(ctx, err)
		}
		mu.Lock()
		defer mu.Unlock()
		inv.routes[topic] = route
		for _, span := range ranges {
			inv.messages[topic] += span.Max - span.Min
		}
		inv.samples[topic] = seen
		if lookErr != nil {
			inv.unsampled[topic] = lookErr
		}
		return nil
	})
}

// assessment tells the inventory in short.
func (inv *inventory) assessment() api.Assessment {
	a := api.Assessment{MeasuredAt: inv.at, Topics: []api.Topic{}, Groups: []api.Group{}, Clients: inv.clients()}
	for _, b := range inv.brokers {
		a.SourceBrokers = append(a.SourceBrokers, b.Name)
		a.SourceVersion = b.Version
	}
	for _, name := range inv.topics.Selected(inv.plan, inv.brokers) {
		a.Topics = append(a.Topics, inv.topic(name))
	}
	for _, name := range inv.groups.Selected(inv.plan) {
		a.Groups = append(a.Groups, api.Group{
			Name: name, Topics: inv.topicsOf(name), Members: len(inv.online[name].Members), Orderly: inv.orderly[name],
		})
	}
	return a
}

func (inv *inventory) topic(name string) api.Topic {
	t := api.Topic{
		Name:     name,
		Queues:   len(inv.topics.Queues(name)),
		Messages: inv.messages[name],
		Ordered:  inv.plan.Ordered(name),
	}
	seen := inv.samples[name]
	t.Type = seen.messageType()
	if chosen, ok := inv.plan.Topics.Types[name]; ok {
		t.Type = chosen
	}
	t.Ordered = t.Ordered || t.Type == plan.TypeFIFO || seen.keyed
	for _, group := range inv.groups.Selected(inv.plan) {
		if inv.reads(group, name) {
			t.Readers = append(t.Readers, group)
			t.Ordered = t.Ordered || inv.orderly[group]
		}
	}
	return t
}

// reads reports whether the group reads the topic: it has a position there, or is subscribed to it
// now.
func (inv *inventory) reads(group, topic string) bool {
	return len(inv.positions[group][topic]) > 0 || inv.online[group].Topics[topic]
}

// topicsOf are the selected topics that the group reads.
func (inv *inventory) topicsOf(group string) []string {
	var names []string
	for _, topic := range inv.topics.Selected(inv.plan, inv.brokers) {
		if inv.reads(group, topic) {
			names = append(names, topic)
		}
	}
	return names
}

// clients counts the connected clients by kind, language and version.
func (inv *inventory) clients() []api.ClientVersion {
	ids := map[api.ClientVersion]map[string]bool{}
	add := func(kind string, c rocketmq.Connection) {
		key := api.ClientVersion{Kind: kind, Language: c.Language, Version: rocketmq.VersionName(c.Version)}
		if ids[key] == nil {
			ids[key] = map[string]bool{}
		}
		ids[key][c.ClientID] = true
	}
	for _, of := range inv.online {
		for _, m := range of.Members {
			add("consumer", m.Connection)
		}
	}
	for _, of := range inv.producers {
		for _, c := range of {
			add("producer", c)
		}
	}
	var all []api.ClientVersion
	for key, clients := range ids {
		key.Clients = len(clients)
		all = append(all, key)
	}
	sort.Slice(all, func(i, j int) bool {
		a, b := all[i], all[j]
		return a.Kind+a.Language+a.Version < b.Kind+b.Language+b.Version
	})
	return all
}
