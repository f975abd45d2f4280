package api

// Instance is a 5.x cluster that can be migrated to.
type Instance struct {
	Provider    string   `json:"provider"`
	Name        string   `json:"name"`
	NameServers []string `json:"nameServers"`
	ProxyGRPC   string   `json:"proxyGrpc,omitempty"` // host:port for 5.x clients, where known
	Version     string   `json:"version"`             // of the brokers; the oldest, if they differ
	Cluster     string   `json:"cluster"`             // broker cluster name
}
