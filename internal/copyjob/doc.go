// Package copyjob copies topics from one cluster to another, without Temporal. It checks the
// request and creates topics if that is asked for. It copies until everything is copied that was
// there at the start, or until it is stopped. Then it compares copies with their originals.
package copyjob
