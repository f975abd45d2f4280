package contents

import (
	"strconv"

	"rocketshift/api"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
	"rocketshift/internal/printable"
	"rocketshift/plan"
)

// Limits of bytes. proxyBody, proxyProperties and proxyEntries are those of 5.x proxies
// (ProxyConfig: maxMessageSize, userPropertyMaxSize and userPropertyMaxNum), which ApsaraMQ has,
// too. specialBody is ApsaraMQ's for delayed messages and transactions.
const (
	proxyBody       = 4 << 20
	proxyProperties = 16 << 10
	proxyEntries    = 128
	specialBody     = 64 << 10
)

// sizesOf tells of messages that the target, or what stands before it, doesn't take.
func sizesOf(seen facts.Facts) (all []api.Finding) {
	limit, known := smallestLimit(seen)
	for _, topic := range seen.TopicNames {
		object, extent := "topic "+topic, seen.Samples[topic].Extent
		body := printable.Grouped(int64(extent.Body))
		switch {
		case known && extent.Body > limit:
			all = append(all, findings.MessageTooLong.Refusal(
				object,
				"",
				"holds messages longer than the target takes (maxMessageSize %s bytes)",
				printable.Grouped(int64(limit)),
			).
				With(seen.At, "the largest sampled body has %s bytes", body))
		case extent.Body > proxyBody:
			all = append(all, findings.MessageTooLong.Warning(object,
				"send shorter messages, or keep applications on brokers that take them (remoting, maxMessageSize)",
				"holds messages of more than 4 MB, which 5.x proxies and ApsaraMQ refuse").
				With(seen.At, "the largest sampled body has %s bytes", body))
		case extent.Body > specialBody && special(seen.Types[topic]):
			all = append(all, findings.MessageTooLong.Advice(object, "nothing, unless the target is ApsaraMQ",
				"holds messages of more than 64 KB and is of type %s: ApsaraMQ 4.x took none such, "+
					"5.x instances may not either", seen.Types[topic]).
				With(seen.At, "the largest sampled body has %s bytes", body))
		}
		if extent.Properties > proxyProperties || extent.Entries > proxyEntries {
			all = append(all, findings.PropertiesOverProxy.Warning(object, "",
				"has messages with more properties than 5.x proxies take from gRPC clients (16 KB, 128 of them)").
				With(seen.At, "up to %s bytes and %d properties in sampled messages",
					printable.Grouped(int64(extent.Properties)), extent.Entries))
		}
	}
	return all
}

func special(kind plan.MessageType) bool {
	return kind == plan.TypeDelay || kind == plan.TypeTransaction
}

// smallestLimit is the shortest longest message of the target's brokers, as far as they tell it.
func smallestLimit(seen facts.Facts) (limit int, known bool) {
	for _, b := range seen.Target.Configured {
		n, err := strconv.Atoi(b.Values["maxMessageSize"])
		if err == nil && (!known || n < limit) {
			limit, known = n, true
		}
	}
	return limit, known
}
