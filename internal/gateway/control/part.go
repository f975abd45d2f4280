package control

import "slices"

// Reads reports whether the lanes read the queues of a source broker. One whose cluster was never
// told, as in a state of an older gateway, counts until name servers answer.
func (m *Migration) Reads(broker, cluster string) bool {
	return !slices.Contains(m.LeftOut, broker) &&
		(m.SourceCluster == "" || cluster == "" || cluster == m.SourceCluster)
}

// SamePart reports whether lanes read the same brokers.
func (m Migration) SamePart(o Migration) bool {
	return m.SourceCluster == o.SourceCluster && slices.Equal(m.LeftOut, o.LeftOut)
}
