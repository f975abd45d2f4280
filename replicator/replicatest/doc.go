// Package replicatest is a side in memory, for tests: it does what brokers do, and what they do
// when they fail.
package replicatest
