// Package replica is one side of lanes: queues that are read and appended to, the positions and
// locks there, and the stamps by which copies are told from what applications wrote.
package replica
