// Package verify compares the two replicas of a lane by content, in one reading. A comparison can
// go on from a checkpoint.
package verify
