package moving

import "rocketshift/api"

// AskedToMove are the topics of the steps whose producers a Shift has asked to go to the target.
func AskedToMove(s api.Status) (topics []api.Names) {
	for _, w := range s.Waves {
		if w.State != api.StagePending && w.State != api.WaveGroups && w.Topics.Len() > 0 {
			topics = append(topics, w.Topics)
		}
	}
	return topics
}

// Begun are the groups of the waves that a Shift has begun.
func Begun(s api.Status) (groups []api.Names) {
	for _, w := range s.Waves {
		if w.State != api.StagePending && w.Groups.Len() > 0 {
			groups = append(groups, w.Groups)
		}
	}
	return groups
}
