// Package unused finds what nobody uses: groups and topics without readers and writers, groups
// whose positions point before all that is kept, and queues that hold messages which nobody reads.
package unused
