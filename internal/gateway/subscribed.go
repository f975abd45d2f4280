package gateway

import (
	"rocketshift/internal/gateway/wire"
)

// What a pull asks for tells where a group is, before a broker has answered and where none answers
// any more. It counts from members only: a broker of the source has taken a heartbeat of the same
// connection that names the group and the topic, and brokers look at the rights to both
// (PlainAccessResource.parse, 4.9.7). What others ask for counts when a broker has answered it.

// ofMember reports whether a pull comes from a member that a broker has taken, under the same
// access key, which was verified where there are keys.
func (s *session) ofMember(f *wire.Frame) bool {
	accessKey := f.Get(wire.FieldAccessKey)
	if _, known := s.gateway.keys.Of(accessKey); s.gateway.keys.Given() && !known {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(f.Text(wire.FieldAccessKey)) == s.accessKey &&
		s.subscriptions.Has(f.Text("consumerGroup"), f.Text("topic"))
}
