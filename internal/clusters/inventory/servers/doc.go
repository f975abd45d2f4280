// Package servers judges the brokers and name servers of both sides: their clocks, versions and
// addresses, whether name servers agree, and whether both sides are the same cluster.
package servers
