// Package failure is how a command ends that can't do what it was told: by an error with the exit
// code and what to do next.
package failure
