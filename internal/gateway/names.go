package gateway

import (
	"fmt"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// askNames serves what clients, consoles and tools ask of name servers. Nothing is changed through
// here.
func (s *session) askNames(f *wire.Frame) {
	if f.Code == remoting.CodeRoute {
		s.routeOfReplies(f)
	}
	switch f.Code {
	case remoting.CodeRoute,
		remoting.CodeClusterInfo,
		remoting.CodeTopicNames,
		remoting.CodeTopicsOfCluster,
		remoting.CodeSystemTopics,
		remoting.CodeKVGet,
		remoting.CodeKVList:
		s.forward(f, routing.NameServers, call{})
	default:
		s.refuse(f, remoting.NotSupported,
			fmt.Sprintf("request type %d not supported: ask a name server of the source", f.Code))
	}
}

// routed puts the gateway's addresses into an answer that names brokers.
func (u *upstream) routed(f *wire.Frame) {
	if f.Code != remoting.Success || len(f.Body) == 0 {
		return
	}
	body, unknown := bodies.TranslateRoute(f.Body, u.session.gateway.ports.translation())
	if unknown == "" {
		f.SetBody(body)
		return
	}
	u.session.gateway.refresh.now() // a broker that has just come
	f.SetBody(nil)
	f.SetCode(remoting.SystemError)
	if u.session.gateway.figures.said.routes.Due(unknown) {
		u.session.gateway.log.Warn("a route names a broker that has no port here yet, or isn't understood",
			"address", unknown)
	}
}
