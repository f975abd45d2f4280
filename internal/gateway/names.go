package gateway

import (
	"bytes"
	"fmt"

	"rocketshift/internal/gateway/wire"
)

// askNames serves what clients, consoles and tools ask of name servers. Nothing is changed through here.
func (s *session) askNames(f *wire.Frame) {
	switch f.Code {
	case codeRoute, codeClusterInfo, codeTopics, codeTopicsOfCluster, codeSystemTopics, codeKVGet, codeKVList:
		s.forward(f, nameServers, call{})
	default:
		s.refuse(f, notSupported, fmt.Sprintf("request type %d not supported: ask a name server of the source", f.Code))
	}
}

// routed puts the gateway's addresses into an answer that names brokers.
func (u *upstream) routed(f *wire.Frame) {
	if f.Code != success || len(f.Body) == 0 {
		return
	}
	body, unknown := translateRoute(f.Body, u.ports.translation())
	if unknown == "" {
		f.SetBody(body)
		return
	}
	u.refresh.now() // a broker that has just come
	f.SetBody(nil)
	f.SetCode(systemError)
	if u.said.routes.due(unknown) {
		u.log.Warn("a route names a broker that has no port here yet", "address", unknown)
	}
}

var brokerAddrs = []byte(`"brokerAddrs":{`)

// translateRoute replaces the addresses of brokers in a route or in a cluster's description, as JSON of any kind: fastjson writes the
// brokers' ids with or without quotes. The result is whole or nothing: an address that isn't known is returned instead.
func translateRoute(body []byte, known map[string]string) (out []byte, unknown string) {
	for {
		at := bytes.Index(body, brokerAddrs)
		if at < 0 {
			return append(out, body...), ""
		}
		at += len(brokerAddrs)
		out = append(out, body[:at]...)
		body = body[at:]
		end := bytes.IndexByte(body, '}')
		if end < 0 {
			return nil, "(an answer without end)"
		}
		for i, entry := range bytes.Split(body[:end], []byte{','}) {
			if i > 0 {
				out = append(out, ',')
			}
			id, addr, found := bytes.Cut(entry, []byte(`:"`))
			if !found {
				out = append(out, entry...)
				continue
			}
			addr = bytes.TrimSuffix(addr, []byte{'"'})
			here := known[string(addr)]
			if here == "" {
				return nil, string(addr)
			}
			out = append(append(append(out, id...), `:"`...), here...)
			out = append(out, '"')
		}
		body = body[end:]
	}
}
