package members

import (
	"fmt"
	"slices"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
)

// feature is what applications may use of an SDK.
type feature string

// The features in which SDKs differ.
const (
	broadcasting feature = "broadcasting"
	streaming    feature = "stream consumption (pull)"
	tracing      feature = "message trace"
)

// sdk is one of the six families of clients, as the vendor's table for upgrades has them.
type sdk struct {
	name, protocol string
	reaches5       bool
	lacks          []feature
}

// The families. Brokers tell a client's language and version, which don't tell all of them apart.
var (
	grpc5      = sdk{"5.x gRPC SDK", "gRPC v2", true, []feature{broadcasting, streaming}}
	remoting5  = sdk{"5.x remoting SDK", "remoting", true, nil}
	remoting4  = sdk{"4.x/3.x SDK", "remoting", true, nil} // message trace from 4.5.2 on
	onsTCP1    = sdk{"ONS TCP 1.x SDK", "remoting", true, nil}
	onsTCP2    = sdk{"ONS TCP 2.x SDK", "gRPC v1", false, []feature{broadcasting, streaming}}
	onsHTTP    = sdk{"ONS HTTP SDK", "HTTP", false, []feature{broadcasting, streaming, tracing}}
	sdkMatrix  = []sdk{grpc5, remoting5, remoting4, onsTCP1, onsTCP2, onsHTTP}
	httpGroups = []string{"CID_ONS-HTTP-PROXY"}
)

const (
	oldestTried     = rocketmq.Version440 // of clients with rocketshift
	firstReadTrace  = rocketmq.Version452 // by 5.x
	firstWithBroker = rocketmq.Version495 // in requests, which 5.x proxies need
)

// familyOf is the family of a client, as far as its language and version tell.
func familyOf(c facts.Client) sdk {
	switch {
	case strings.EqualFold(c.Language, "HTTP") || slices.Contains(httpGroups, c.Group):
		return onsHTTP
	case strings.EqualFold(c.Language, "GRPC_V1"): // no broker tells it: people write it into the file of --seen
		return onsTCP2
	case strings.EqualFold(c.Language, "OMS"):
		return onsTCP1
	case c.Version >= rocketmq.Version500:
		return remoting5
	}
	return remoting4
}

// traceProducer begins the producer groups of clients that write message traces (TraceConstants,
// 4.4.0 and later).
const traceProducer = "_INNER_TRACE_PRODUCER"

// clientFindings are about clients that can't reach 5.x, or not all of it.
func clientFindings(seen facts.Facts) []api.Finding {
	var http, old, untried, traces []facts.Client
	for _, c := range seen.Clients() {
		if !concerns(seen, c) {
			continue
		}
		switch {
		case !familyOf(c).reaches5:
			http = append(http, c)
		case seen.Plan.Target.Proxied() && c.Version < firstWithBroker:
			old = append(old, c)
		case c.Version < oldestTried:
			untried = append(untried, c)
		}
		if strings.HasPrefix(c.Group, traceProducer) && c.Version < firstReadTrace {
			traces = append(traces, c)
		}
	}
	var all []api.Finding
	add := func(clients []facts.Client, say func(object, next, cause string, args ...any) api.Finding, cause string) {
		if len(clients) == 0 {
			return
		}
		f := say("clients", "", "%d clients %s: %s", len(clients), cause, names(clients))
		for _, c := range clients {
			f = f.With(c.Last, "%s of group %s, seen %s", c, c.Group, ago(seen, c))
		}
		all = append(all, f)
	}
	add(http, findings.ClientHTTP.Refusal, "speak a protocol that 5.x doesn't (HTTP, gRPC v1)")
	add(old, findings.ClientTooOld.Warning, "are older than 4.9.5, and 5.x proxies need the broker's name in requests")
	add(untried, findings.ClientTooOld.Warning, "are older than 4.4.0, which nobody has tried")
	add(traces, findings.ClientTrace.Warning, "write message traces with an SDK before 4.5.2")
	return all
}

// concerns reports whether a client is of the migration: of a selected group, or a producer, of
// which nobody knows the topics.
func concerns(seen facts.Facts, c facts.Client) bool {
	if c.Kind == facts.Producer || slices.Contains(httpGroups, c.Group) {
		return true
	}
	_, selected := slices.BinarySearch(seen.GroupNames, c.Group)
	return selected
}

func names(clients []facts.Client) string {
	var all []string
	for _, c := range clients {
		all = append(all, c.String())
	}
	slices.Sort(all)
	return printable.Few(slices.Compact(all))
}

// ago says when a client was seen last.
func ago(seen facts.Facts, c facts.Client) string {
	if gone := seen.At.Sub(c.Last); gone > 0 {
		return fmt.Sprintf("%s ago", gone.Round(1e9))
	}
	return "now"
}

// sdkFindings are about features that a group uses, and that some SDK for 5.x lacks.
func sdkFindings(seen facts.Facts) (all []api.Finding) {
	uses := map[feature][]string{}
	for _, group := range seen.GroupNames {
		of := seen.Online[group]
		if of.Broadcasting {
			uses[broadcasting] = append(uses[broadcasting], group)
		}
		if of.Pulls() {
			uses[streaming] = append(uses[streaming], group)
		}
	}
	for _, used := range []feature{broadcasting, streaming} {
		if len(uses[used]) == 0 {
			continue
		}
		var without []string
		for _, of := range sdkMatrix {
			if of.reaches5 && slices.Contains(of.lacks, used) {
				without = append(without, of.name)
			}
		}
		all = append(all, findings.SDKFeature.Advice("groups "+printable.Few(uses[used]), "",
			"%d groups use %s, which the %s doesn't have", len(uses[used]), used, strings.Join(without, ", ")).
			With(seen.At, "as their members' heartbeats say"))
	}
	return all
}
