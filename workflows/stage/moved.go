package stage

import (
	"slices"

	"rocketshift/api"
)

// mostMoved is how many groups, and how many topics, a status names of those that have moved.
const mostMoved = 200

// AddTo counts what has moved now. Runs of older releases name everything.
func AddTo(m *api.Moved, groups, topics api.Names, bounded bool) {
	m.Groups, m.MoreGroups = addMoved(m.Groups, m.MoreGroups, groups, bounded)
	m.Topics, m.MoreTopics = addMoved(m.Topics, m.MoreTopics, topics, bounded)
}

func addMoved(names []string, more int, now api.Names, bounded bool) ([]string, int) {
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
func bothMoved(m, o api.Moved, bounded bool) api.Moved {
	m.MoreGroups, m.MoreTopics = m.MoreGroups+o.MoreGroups, m.MoreTopics+o.MoreTopics
	AddTo(&m, api.Some(o.Groups...), api.Some(o.Topics...), bounded)
	return m
}
