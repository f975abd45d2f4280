package activities

// Clusters are the open connections to both sides, shared by all activities of a process.
type Clusters struct{}

// NewClusters returns an empty set; connections open when they are needed.
func NewClusters() *Clusters { return &Clusters{} }

// Close closes every connection.
func (c *Clusters) Close() {}
