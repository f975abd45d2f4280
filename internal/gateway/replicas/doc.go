// Package replicas knows the two clusters of a migration and where the same message lies on both:
// their brokers, names, limits and clocks, which queues are pairs, and by the stamps of copies what
// an offset of one side is on the other. It reads and commits by the gateway's own accounts; it
// knows no clients.
package replicas
