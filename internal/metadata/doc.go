// Package metadata is the model of what a cluster holds besides messages and positions: topics,
// consumer groups, subscriptions, order configuration and other KV of name servers. It is what
// people keep in Git, compare and bring to another cluster.
//
// The package is pure: doors, each a package below it, read the model from a cluster or a file, or
// write it. What a door doesn't tell is absent in the model, never a guess; what it can't carry is a
// Gap. Lists are sorted, so that two readings of the same cluster print the same bytes.
package metadata
