package gateway

import (
	"sync/atomic"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/rocketmq"
)

// bothSides is what is known of the two clusters: their servers, limits and clocks, and the
// migration between them.
type bothSides struct {
	source     *rocketmq.Cluster
	migration  atomic.Pointer[migration]
	intended   atomic.Pointer[control.Migration]      // that is to be on disk before it counts
	brokers    [2]atomic.Pointer[map[string][]string] // addresses by name; of slaves by name#id
	clusters   [2]clusterNames
	targets    atomic.Pointer[[]string]          // target brokers in the order of their tags
	limits     atomic.Pointer[map[string]limits] // of target brokers; nil while none has said them
	limitsHere atomic.Pointer[map[string]limits] // of source brokers
	dials      [2]rocketmq.Dial                  // to servers of both sides; nil: in plain text
	origins    origins
	reach      reach
	clocks     clocks
}
