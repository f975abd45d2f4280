// Package remote is what the commands need of Temporal: to start a migration, to see what a
// workflow and its activities say, to send it messages.
package remote
