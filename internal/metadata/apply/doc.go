// Package apply brings topics, groups and keys of name servers from a cluster, or from a model in a
// file, to a cluster of 5.x, by the code of ImportMetadata and without Temporal.
package apply
