package inventory

import (
	"sort"

	"rocketshift/api"
	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// assessment tells the inventory in short.
func (inv *look) assessment() api.Assessment {
	a := api.Assessment{MeasuredAt: inv.at, Topics: []api.Topic{}, Groups: []api.Group{}, Clients: inv.clients()}
	for _, b := range inv.brokers {
		a.SourceBrokers = append(a.SourceBrokers, b.Name)
		a.SourceVersion = b.Version
	}
	for _, name := range inv.topicNames() {
		a.Topics = append(a.Topics, inv.topic(name))
	}
	for _, name := range inv.groupNames() {
		a.Groups = append(a.Groups, api.Group{
			Name: name, Topics: inv.picked().topicsOf[name], Members: len(inv.online[name].Members), Orderly: inv.orderly[name],
		})
	}
	return a
}

func (inv *look) topic(name string) api.Topic {
	t := api.Topic{
		Name:     name,
		Queues:   len(inv.topics.Queues(name)),
		Messages: inv.messages[name],
		Ordered:  inv.plan.Ordered(name),
	}
	seen := inv.samples[name]
	t.Type = seen.MessageType()
	if chosen, ok := inv.plan.Topics.Types[name]; ok {
		t.Type = chosen
	}
	t.Ordered = t.Ordered || t.Type == plan.TypeFIFO || seen.Keyed
	t.Readers = inv.readersOf(name)
	for _, group := range t.Readers {
		t.Ordered = t.Ordered || inv.orderly[group]
	}
	return t
}

// clients counts the connected clients by kind, language and version.
func (inv *look) clients() []api.ClientVersion {
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

func (inv *look) uses() brokerconfig.Uses {
	uses := clusters.UsesOf(inv.online, inv.groupNames())
	for _, topic := range inv.topicNames() {
		kind := inv.topic(topic).Type
		if kind == plan.TypeTransaction || kind == plan.TypeMixed && inv.samples[topic].Kinds[plan.TypeTransaction] {
			uses[brokerconfig.Transacting] = append(uses[brokerconfig.Transacting], topic)
		}
	}
	return uses
}
