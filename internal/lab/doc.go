// Package lab runs real RocketMQ name servers, brokers and proxies, and a Temporal development
// server, as processes of this machine: for tests, for the demo, and as the local provider of a
// migration's target.
//
// A cluster lives in one folder: configuration, data, logs, and state.json, which names every
// process by its id and its start time. A program that opens the folder later finds the same
// cluster. Ending the cluster ends exactly those processes, and no others of the same kind.
package lab
