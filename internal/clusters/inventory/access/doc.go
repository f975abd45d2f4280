// Package access judges who may do what on both sides, how queues are dealt to members, and names
// that belong to an instance of the cloud.
package access
