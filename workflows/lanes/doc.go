// Package lanes has the services of a migration: the workflow Replicate, which runs the lanes and
// takes what persons decide about them, and SyncOffsets.
package lanes
