// Package replica reads and writes one side of lanes: queues, positions and locks, and the stamps
// by which copies are told from the messages of applications.
package replica
