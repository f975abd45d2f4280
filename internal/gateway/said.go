package gateway

import "log/slog"

// saidLast is when things were said in the log last that clients, or servers that are away, cause
// again and again: each is said every rareness at most, of each object that it is about.
type saidLast struct {
	looks      rarely // what the clusters have can't be read
	accepts    rarely // a client can't be accepted
	frames     rarely // a client sent what is no frame
	unfinished rarely // a client doesn't come to the end of a frame
	calls      rarely // a client has too many calls open
	unread     rarely // a client doesn't read, and holds up a move
	signatures rarely // requests with a wrong signature
	faults     rarely // of the gateway, that frames bring out

	unreachable each[dest] // a server can't be reached
	heartbeats  each[dest] // a target broker doesn't get heartbeats
	silent      each[dest] // a server says nothing any more
	unreadable  each[dest] // a broker's messages can't be read
	odd         each[dest] // a server's answer, or its question, can't be read
	dropped     each[dest] // there was no room for a server's answer
	returning   each[dest] // a broker refuses a client of before

	routes   each[string] // a route names an address without a port here
	members  each[string] // how a group's members share queues can't be seen
	ahead    each[string] // a group has read more than is copied
	peers    each[string] // another gateway doesn't say how it stands
	versions each[string] // a broker doesn't say its version
}

// notTaken counts clients that aren't taken over from before: there may be thousands.
type notTaken struct {
	clients int
	first   string
	cause   error
}

func (n *notTaken) note(client string, cause error) {
	if n.clients++; n.clients == 1 {
		n.first, n.cause = client, cause
	}
}

// say says how many there were.
func (n *notTaken) say(log *slog.Logger, what string) {
	if n.clients > 0 {
		log.Warn(what, "clients", n.clients, "first", n.first, "cause", n.cause)
	}
}
