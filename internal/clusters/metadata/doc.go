// Package metadata is what the target should have of the source's topics, groups and settings, and
// makes what is missing: before the lanes run, and of what the source gets while they run.
package metadata
