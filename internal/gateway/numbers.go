package gateway

import (
	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// plain refuses a request with an odd number.
func (s *session) plain(f *wire.Frame) bool {
	err := bodies.OddNumber(f, bodies.NumbersOf(f.Code))
	if err != nil {
		s.refuse(f, remoting.SystemError, err.Error())
	}
	return err == nil
}
