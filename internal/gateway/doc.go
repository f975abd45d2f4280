// Package gateway is the process between applications and the two clusters of a migration. To its
// clients it is the source cluster: it answers as a name server, and at one port for each source
// broker. Each queue's home, and each group's side, is a pointer that it keeps; both can be moved
// while clients send and read.
//
// A client has connections of its own to the brokers of both sides, so that numbers which pair
// requests and answers stay as they are, and what goes to the source, and comes from it, passes
// unchanged. What goes to the target, or comes from it, is translated: names of brokers, numbers of
// queues, and offsets, which clients know as those of the source. Offsets in the commit log carry a
// tag that says which broker of the target they are of, since clients bring them back: retries,
// ends of transactions, questions by id.
//
//	client ── session ── upstream of the source broker     as it is
//	                 └── upstreams of target brokers       translated
//
// Where the same message lies on both sides is read from the stamps that lanes put on copies
// (replicator.Positions). So the gateway needs neither the worker that runs the lanes nor Temporal
// to serve, and it believes nobody: a move is done when the copies are there to be read.
//
// What it is made of, each package importing only those before it: routing (where requests go) ──
// replicas (the two clusters, and where the same message lies) ── rounds (gateways that decide as
// one) ── checks (what stands against a move) ── this package (clients' sessions, and moves).
//
// It knows nothing of Temporal, of plans, or of who is to approve what: that is for those who call
// its control API.
package gateway
