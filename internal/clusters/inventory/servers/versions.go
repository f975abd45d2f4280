package servers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// oldest is the first version whose answers rocketshift knows.
const oldest = "4.3.0"

func tooOld(brokers []rocketmq.Broker) (all []api.Finding) {
	for _, b := range brokers {
		if b.Version != "" && remoting.Earlier(b.Version, oldest) {
			all = append(all, findings.SourceTooOld.Refusal("source broker "+b.Name, "",
				"runs version %s; rocketshift knows how brokers answer from %s on", b.Version, oldest))
		}
	}
	return all
}

// sameCluster refuses brokers that are on both sides under different addresses: they have one name,
// and started at the same millisecond.
func sameCluster(source, target []broker) (all []api.Finding) {
	for _, s := range source {
		for _, t := range target {
			if s.boot != "" && s.boot == t.boot && s.Name == t.Name && s.Version == t.Version && s.Addr != t.Addr {
				all = append(all, findings.SelfReplication.Refusal("source broker "+s.Name, "",
					"is also the target's broker %s under another address (%s and %s): both started at the same "+
						"millisecond (%s)", t.Name, s.Addr, t.Addr, s.boot))
			}
		}
	}
	return all
}

// nameServer is a name server with the version that its answers tell.
type nameServer struct{ addr, version string }

func nameServersOf(ctx context.Context, c *clusters.One, seen facts.Facts) (all []nameServer, err error) {
	if c.Proxy() != "" {
		return nil, nil
	}
	for _, addr := range c.NameServers() {
		got, err := c.Client().Call(ctx, addr, &remoting.Command{Code: remoting.CodeClusterInfo})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil { // one that doesn't answer is a finding of its own
			all = append(all, nameServer{addr, rocketmq.VersionName(got.Version)})
		}
	}
	return all, nil
}

// mixed tells of servers of one side that run different versions. Upstream asks for name servers
// first, then brokers.
func mixed(side api.Side, brokers []rocketmq.Broker, names []nameServer, seen facts.Facts) []api.Finding {
	var servers, versions []string
	add := func(what, version string) {
		if version == "" || strings.HasPrefix(version, "#") { // not told, or a release that isn't known here
			return
		}
		servers, versions = append(servers, what+" "+version), append(versions, version)
	}
	for _, b := range brokers {
		add("broker "+b.Name, b.Version)
	}
	for _, n := range names {
		add("name server "+n.addr, n.version)
	}
	slices.Sort(versions)
	if versions = slices.Compact(versions); len(versions) < 2 {
		return nil
	}
	return []api.Finding{findings.VersionsMixed.Warning(string(side)+" servers", "",
		"run different versions: %s", printable.Listed(versions)).
		With(seen.At, "%s", printable.Listed(servers))}
}

// featuresOff tells of features of 5.x that applications may expect, and that are switched off.
func featuresOff(seen facts.Facts) []api.Finding {
	var brokers []string
	for _, b := range seen.Target.Configured {
		if strings.EqualFold(b.Values["timerWheelEnable"], "false") {
			brokers = append(brokers, b.Name)
		}
	}
	var delayed []string
	for _, topic := range seen.TopicNames {
		if seen.Types[topic] == plan.TypeDelay {
			delayed = append(delayed, topic)
		}
	}
	if len(brokers) == 0 || len(delayed) == 0 {
		return nil
	}
	return []api.Finding{findings.TargetFeatureOff.Advice("target broker "+printable.Listed(brokers), "",
		"has timers switched off (timerWheelEnable=false), and %s hold delayed messages",
		fmt.Sprintf("topics %s", printable.Listed(delayed)))}
}
