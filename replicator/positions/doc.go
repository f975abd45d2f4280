// Package positions finds where the same message lies on both sides, by stamps alone: it translates
// positions, finds the messages that were never copied, and pairs stretches of two queues.
package positions
