// Package checks says what stands against a move: producers and members that bypass the gateways,
// groups whose members would share queues wrongly, broadcasting groups whose old positions would
// mean other messages, brokers that don't take what producers send, and white lists that let
// everybody in. It looks at the two clusters, and asks the gateway about its clients (Host).
package checks
