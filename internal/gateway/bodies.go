package gateway

import (
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// takes takes memory for a request, or refuses it.
func (s *session) takes(f *wire.Frame, bytes int) bool {
	s.flush()
	if err := s.memory.Take(bytes); err != nil {
		s.refuse(f, remoting.ServiceNotAvailable, err.Error())
		return false
	}
	return true
}
