// Package storage judges disks and how long messages are kept, of both sides: what may be deleted
// before it is read or copied, and whether the target has room.
package storage
