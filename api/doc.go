// Package api is what people and programs see of a migration: its status and its parts, what it
// waits for, approvals and other messages to it, the reports of its stages, and the names of its
// workflows, updates, signals, queries, search attributes and activities. All of it travels as JSON
// through Temporal, so that keys never change.
//
// It knows nothing of how workflows and activities do their work.
package api
