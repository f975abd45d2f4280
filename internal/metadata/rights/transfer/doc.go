// Package transfer takes users and rights from ACL 1.0 of a source along to ACL 2.0 of a target:
// read, map, review, write to each broker, read back, and compare what both sides would allow.
// Secrets go straight from a file or a broker to brokers; nothing that this package returns, but the
// ring, holds one.
package transfer
