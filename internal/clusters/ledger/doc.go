// Package ledger lists what is unfinished on the source, and what is still to come from the target.
package ledger
