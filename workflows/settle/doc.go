// Package settle settles the ledger of the source: the workflow Finalize, and the question whether
// a person accepts what is left.
package settle
