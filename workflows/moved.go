package workflows

import (
	"slices"

	"rocketshift/activities"
)

// mostMoved is how many groups, and how many topics, a status names of those that have moved.
const mostMoved = 200

// addTo counts what has moved now. Runs of older releases name everything.
func addTo(m *Moved, groups, topics activities.Names, bounded bool) {
	m.Groups, m.MoreGroups = addMoved(m.Groups, m.MoreGroups, groups, bounded)
	m.Topics, m.MoreTopics = addMoved(m.Topics, m.MoreTopics, topics, bounded)
}

func addMoved(names []string, more int, now activities.Names, bounded bool) ([]string, int) {
	items, inline := now.Inline()
	if !inline {
		return names, more + now.Len()
	}
	if bounded {
		room := max(0, mostMoved-len(names))
		more += max(0, len(items)-room)
		items = items[:min(room, len(items))]
	}
	return slices.Concat(names, items), more
}

// bothMoved is what a workflow and its child have moved.
func bothMoved(m, o Moved, bounded bool) Moved {
	m.MoreGroups, m.MoreTopics = m.MoreGroups+o.MoreGroups, m.MoreTopics+o.MoreTopics
	addTo(&m, activities.Some(o.Groups...), activities.Some(o.Topics...), bounded)
	return m
}
