package plan

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
)

func checkNameServers(c *Problems, path string, addresses []string) {
	for i, a := range addresses {
		at := fmt.Sprintf("%s[%d]", path, i)
		if checkAddress(c, at, a) &&
			slices.ContainsFunc(addresses[:i], func(b string) bool { return sameAddress(a, b) }) {
			c.add(at, "%s is there twice; keep one", quote(a))
		}
	}
}

func checkAddress(c *Problems, at, a string) (ok bool) {
	host, port, err := net.SplitHostPort(a)
	n, errPort := strconv.Atoi(port)
	switch {
	case strings.ContainsAny(a, ";,"):
		c.add(at, "%s holds several addresses; want one host:port per entry", quote(a))
	case strings.Contains(a, "://"):
		c.add(at, "%s is a URL; want host:port, such as \"10.0.0.1:9876\"", quote(a))
	case err != nil || errPort != nil || n < 1 || n > 65535 || !hostForm.MatchString(host):
		c.add(at, "%s; want host:port, such as \"10.0.0.1:9876\"", quote(a))
	default:
		return true
	}
	return false
}

// checkOverlap refuses topics of the same name in two clusters at the same name servers: name
// servers give clients all queues of a topic, of every cluster.
func checkOverlap(c *Problems, source Cluster, target Target) {
	if source.Cluster != "" && target.Cluster != "" && source.Cluster != target.Cluster &&
		target.Rename != nil && target.Rename.Prefix != "" {
		return
	}
	for i, t := range target.Addresses() {
		if slices.ContainsFunc(source.NameServers, func(s string) bool { return sameAddress(s, t) }) {
			at := fmt.Sprintf("target.nameServers[%d]", i)
			if target.Proxy != "" {
				at = "target.proxy"
			}
			c.add(at, "%s is a name server of the source too; source and target must be two clusters: if they are, "+
				"name them in source.cluster and target.cluster, and give a target.rename.prefix, as clients of "+
				"these name servers would use topics of one name on both", quote(t))
		}
	}
}

// checkClusters checks which of the clusters that name servers know is meant.
func checkClusters(c *Problems, p Plan) {
	for path, name := range map[string]string{"source.cluster": p.Source.Cluster, "target.cluster": p.Target.Cluster} {
		if name != "" && !brokerForm.MatchString(name) {
			c.add(path, "%s; want the name of a cluster, as brokers' brokerClusterName says it", quote(name))
		}
	}
	if p.Target.Cluster != "" && len(p.Target.NameServers) == 0 {
		c.add("target.cluster", "only name servers know several clusters; leave it out")
	}
	checkBrokers(c, "source.leftOut", p.Source.LeftOut)
	checkBrokers(c, "source.readSlaves", p.Source.ReadSlaves)
	for i, name := range p.Source.ReadSlaves {
		if slices.Contains(p.Source.LeftOut, name) {
			c.add(fmt.Sprintf("source.readSlaves[%d]", i), "%s is left out by source.leftOut; keep one of both",
				quote(name))
		}
	}
}

// checkBrokers checks a list of brokers' names.
func checkBrokers(c *Problems, path string, names []string) {
	for i, name := range names {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case !brokerForm.MatchString(name):
			c.add(at, "%s; want the name of a broker, as its brokerName says it", quote(name))
		case slices.Contains(names[:i], name):
			c.add(at, "%s is there twice; keep one", quote(name))
		}
	}
}

// checkAdvertised checks the addresses at which servers are reached that advertise others.
func checkAdvertised(c *Problems, path string, reached map[string]string) {
	for _, advertised := range slices.Sorted(maps.Keys(reached)) {
		at := fmt.Sprintf("%s[%q]", path, advertised)
		checkAddress(c, at, advertised)
		checkAddress(c, at, reached[advertised])
	}
}

func sameAddress(a, b string) bool { return canonical(a) == canonical(b) }

func canonical(address string) string {
	a := strings.ToLower(address)
	if host, port, err := net.SplitHostPort(a); err == nil {
		if host = strings.TrimSuffix(host, "."); host == "localhost" || host == "::1" {
			host = "127.0.0.1"
		}
		if n, err := strconv.Atoi(port); err == nil {
			port = strconv.Itoa(n)
		}
		return net.JoinHostPort(host, port)
	}
	return a
}
