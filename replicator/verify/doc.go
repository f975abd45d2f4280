// Package verify compares the two replicas of a lane by content, in one reading, and goes on from a
// checkpoint.
package verify
