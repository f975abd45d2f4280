// Package clusters is what two clusters are, and how they are read: their brokers, topics, groups,
// positions and members at one moment, and how the queues of both pair to lanes. It writes nothing,
// and knows nothing of who asks. Packages below it work on what it reads.
package clusters
