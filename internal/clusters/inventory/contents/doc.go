// Package contents judges what sampled messages are for and how large they are: requests and
// replies, records of message trace, light queues, bodies and properties near the target's limits.
package contents
