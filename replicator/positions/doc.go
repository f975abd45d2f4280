// Package positions finds where the same message lies on both sides, by stamps alone. It translates
// positions, and finds the messages that were never copied.
package positions
