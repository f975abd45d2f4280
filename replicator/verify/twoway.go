package verify

import "rocketshift/replicator/replica"

// fromTarget reports whether a message on the source is a copy of the reverse lane.
func (v *verification) fromTarget(m replica.Message) bool {
	offset, own := v.reverse.Offset(m.Message)
	if !own || offset <= v.back {
		return false
	}
	v.back = offset
	return true
}
