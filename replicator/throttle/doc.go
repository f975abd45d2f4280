// Package throttle holds lanes back: to the rates that persons set, to what brokers can bear, and
// to the memory of the process.
package throttle
