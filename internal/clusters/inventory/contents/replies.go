package contents

import (
	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
)

// repliesOf tells of applications that send requests and wait for replies (4.6.0 and later). The
// broker that stored a request is named in it (CLUSTER), and its reply goes to that cluster's reply
// topic: whoever waits on the other side gets none.
func repliesOf(seen facts.Facts, held map[string]int64) (all []api.Finding) {
	for _, topic := range clusters.SortedKeys(held) {
		if cluster, reply := rocketmq.ReplyCluster(topic); reply && held[topic] > 0 {
			all = append(all, findings.RequestReply.Warning("topic "+topic, "",
				"holds replies to requests: applications of cluster %s wait for replies", cluster).
				With(seen.At, "%d replies stored", held[topic]))
		}
	}
	for _, topic := range seen.TopicNames {
		sample := seen.Samples[topic]
		if n := sample.Extent.Requests + sample.Extent.Replies; n > 0 {
			all = append(all, findings.RequestReply.Warning("topic "+topic, "",
				"holds requests whose senders wait for replies (%d of %d sampled messages)", n, sample.Looked).
				With(seen.At, "read by %s", printable.Listed(seen.Readers[topic])))
		}
	}
	return all
}
