// Package connections is what the gateway knows of connections alone, whoever they are from: which
// ones there is room for, TLS by the port that plain clients use too, how servers are reached,
// writes that are put together, and connections that pass to another process.
package connections
