package servers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// Unreached are the brokers of a side that advertise addresses which don't lead to them from here
// (NAT, Kubernetes), with the addresses at which they are reached. What stands between may accept
// connections and answer nothing. A broker that is merely down is no finding: whoever asks it waits
// for it.
func Unreached(ctx context.Context, c *clusters.One) (all []api.Finding, err error) {
	if c.Proxy() != "" {
		return nil, nil
	}
	brokers, err := c.FindBrokers(ctx)
	if err != nil {
		return nil, err
	}
	for _, b := range brokers {
		var undialled *remoting.DialError
		_, err := c.RuntimeAt(ctx, b.Addr)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !remoting.Unreachable(err) {
			continue
		}
		object := fmt.Sprintf("%s broker %s", c.Side, b.Name)
		if at := reachedAt(ctx, c, b); at != "" {
			all = append(all, findings.BrokerAddress.Refusal(object,
				fmt.Sprintf("write %q: %q into %s.addresses of the plan; without one, --%s-address %s=%s", b.Addr, at, c.Side,
					c.Side, b.Addr, at),
				"advertises %s, where it doesn't answer; it answers at %s", b.Addr, at))
		} else if errors.As(err, &undialled) && private(b.Addr, c.NameServers()) {
			all = append(all, findings.BrokerAddress.Refusal(object,
				fmt.Sprintf("write %q: \"HOST:PORT\" into %s.addresses of the plan, with an address that leads to it from here; "+
					"without one, --%s-address %s=HOST:PORT", b.Addr, c.Side, c.Side, b.Addr),
				"advertises %s, an address of another network than its name server's, which can't be reached from here",
				b.Addr))
		}
	}
	return all, nil
}

// reachedAt is where a broker answers by its name: at its port on the host of a name server, as
// where ports of a host lead to containers.
func reachedAt(ctx context.Context, c *clusters.One, b rocketmq.Broker) string {
	_, port, err := net.SplitHostPort(b.Addr)
	if err != nil {
		return ""
	}
	for _, nameServer := range c.NameServers() {
		host, _, err := net.SplitHostPort(nameServer)
		at := net.JoinHostPort(host, port)
		if err != nil || at == b.Addr {
			continue
		}
		config, err := c.Client().BrokerConfig(ctx, at)
		if err == nil && config["brokerName"] == b.Name {
			return at
		}
	}
	return ""
}

// private reports whether an address is of a network that name servers, which are reached, aren't
// in.
func private(addr string, nameServers []string) bool {
	ip, known := hostOf(addr)
	if !known || !(ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast()) {
		return false
	}
	for _, n := range nameServers {
		at, known := hostOf(n)
		if known && (at.IsLoopback() || at.Is4() && ip.Is4() && at.As4()[0] == ip.As4()[0]) {
			return false
		}
	}
	return true
}

func hostOf(addr string) (netip.Addr, bool) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.Addr{}, false
	}
	ip, err := netip.ParseAddr(host)
	return ip, err == nil
}
