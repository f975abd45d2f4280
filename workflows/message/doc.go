// Package message is what people and other workflows tell a workflow while it runs: how a message
// is registered as an update and as a signal, and by which rules it is refused.
package message
