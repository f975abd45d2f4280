// Package keys has the access keys of applications on both sides: those of requests are verified
// with them, and what goes to the target is signed with them.
package keys
