package inventory

import (
	"slices"

	"rocketshift/internal/clusters"
)

// selected is what the plan selects of what was seen, told once: both lists are as long as clusters
// are large, and are looked through for each topic and group.
type selected struct {
	topics, groups    []string
	topicSet          map[string]bool
	readers, topicsOf map[string][]string
}

func (inv *look) picked() *selected {
	if inv.selection != nil {
		return inv.selection
	}
	s := &selected{
		topics: inv.topics.Selected(inv.plan, inv.brokers), groups: inv.groups.Selected(inv.plan),
		topicSet: map[string]bool{}, readers: map[string][]string{}, topicsOf: map[string][]string{},
	}
	for _, topic := range s.topics {
		s.topicSet[topic] = true
	}
	for _, group := range s.groups {
		s.topicsOf[group] = inv.readBy(group, s.topicSet)
		for _, topic := range s.topicsOf[group] {
			s.readers[topic] = append(s.readers[topic], group)
		}
	}
	inv.selection = s
	return s
}

// readBy are those of the topics that the group reads, sorted: it has a position there, or is
// subscribed to them now.
func (inv *look) readBy(group string, among map[string]bool) (names []string) {
	for topic, queues := range inv.positions[group] {
		if len(queues) > 0 && among[topic] {
			names = append(names, topic)
		}
	}
	for topic := range inv.online[group].Topics {
		if among[topic] {
			names = append(names, topic)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (inv *look) topicNames() []string { return inv.picked().topics }

func (inv *look) groupNames() []string { return inv.picked().groups }

// readersOf are the selected groups that read the topic.
func (inv *look) readersOf(topic string) []string { return inv.picked().readers[topic] }

func (inv *look) selectsTopic(name string) bool { return inv.picked().topicSet[name] }

func (inv *look) selectsGroup(name string) bool {
	return inv.plan.Groups.Match(name) && inv.groups[name] != nil && !clusters.SystemGroup(name)
}
