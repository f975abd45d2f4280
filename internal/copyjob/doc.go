// Package copyjob copies topics from one cluster to another, without Temporal: it checks the
// request, creates topics where that is asked for, copies until all is there that was at the start,
// or until it is stopped, and compares copies with their originals.
package copyjob
