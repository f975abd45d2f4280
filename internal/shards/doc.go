// Package shards spreads the lanes of migrations over workers, and counts what the lanes that run,
// or ran, in this process have copied.
package shards
