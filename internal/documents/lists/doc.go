// Package lists puts what is long into documents of the workers' store, and reads it wherever it
// stands, so that what activities answer fits into histories.
package lists
