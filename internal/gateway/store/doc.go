// Package store is what a gateway keeps on its disk, and what gateways tell each other in the
// rounds of a move: the decisions that everything else follows from. Files of older releases are
// read, and files that somebody has changed aren't gone by.
package store
