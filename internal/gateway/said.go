package gateway

import (
	"sync/atomic"

	"rocketshift/internal/gateway/logs"
	"rocketshift/internal/gateway/metrics"
	"rocketshift/internal/gateway/routing"
)

// figures are what is counted for people, and when they were told of it last.
type figures struct {
	counts            metrics.Counts
	panics            atomic.Int64 // that ended clients' connections
	refusedSignatures atomic.Int64
	said              saidLast
}

// saidLast is when things were said in the log last that clients, or servers that are away, cause
// again and again: each is said every rareness at most, of each object that it is about.
type saidLast struct {
	looks      logs.Rarely // what the clusters have can't be read
	accepts    logs.Rarely // a client can't be accepted
	frames     logs.Rarely // a client sent what is no frame
	unfinished logs.Rarely // a client doesn't come to the end of a frame
	calls      logs.Rarely // a client has too many calls open
	unread     logs.Rarely // a client doesn't read, and holds up a move
	signatures logs.Rarely // requests with a wrong signature
	faults     logs.Rarely // of the gateway, that frames bring out

	unreachable logs.Each[routing.Dest] // a server can't be reached
	heartbeats  logs.Each[routing.Dest] // a target broker doesn't get heartbeats
	silent      logs.Each[routing.Dest] // a server says nothing any more
	unreadable  logs.Each[routing.Dest] // a broker's messages can't be read
	odd         logs.Each[routing.Dest] // a server's answer, or its question, can't be read
	dropped     logs.Each[routing.Dest] // there was no room for a server's answer
	returning   logs.Each[routing.Dest] // a broker refuses a client of before

	routes   logs.Each[string] // a route names an address without a port here
	ahead    logs.Each[string] // a group has read more than is copied
	peers    logs.Each[string] // another gateway doesn't say how it stands
	versions logs.Each[string] // a broker doesn't say its version
}
