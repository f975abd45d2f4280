package instance

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/secrets"
	"rocketshift/plan"
)

// Existing finds a cluster that somebody else runs.
type Existing struct{ Keys *secrets.Store }

// Describe returns the cluster of the plan's name servers. It is an error if they don't answer, or
// if what they know can't be a target.
func (e Existing) Describe(ctx context.Context, p plan.Plan) (api.Instance, bool, error) {
	credentials, err := e.Keys.Keys("target", p.Target.Credentials,
		plan.Hosts(p.Target.Addresses(), p.Target.Advertised))
	if err != nil {
		return api.Instance{}, false, err
	}
	client := rocketmq.NewClient(rocketmq.Options{Credentials: credentials, Addresses: p.Target.Advertised})
	defer client.Close()
	where := "name servers " + strings.Join(p.Target.NameServers, ", ")
	if p.Target.Proxy != "" {
		return behindProxy(ctx, client, p.Target.Proxy)
	}
	brokers, err := rocketmq.NewClusterOf(client, p.Target.NameServers,
		rocketmq.Part{Cluster: p.Target.Cluster}).Brokers(ctx)
	if err != nil {
		return api.Instance{}, false, fmt.Errorf("target behind %s: %w", where, err)
	}
	oldest, err := oldestOf(brokers)
	if err != nil {
		return api.Instance{}, false, fmt.Errorf("target behind %s: %w", where, err)
	}
	return api.Instance{
		Provider: plan.ProviderExisting, Name: oldest.Cluster, NameServers: p.Target.NameServers,
		Version: number(oldest.Version), Cluster: oldest.Cluster,
	}, true, nil
}

// behindProxy finds a cluster of which only a proxy can be reached. A proxy doesn't tell the
// brokers' version; they are 5.x, since older ones have no proxies.
func behindProxy(ctx context.Context, client *rocketmq.Client, proxy string) (api.Instance, bool, error) {
	brokers, err := rocketmq.NewClusterBehind(client, proxy).Brokers(ctx)
	switch {
	case err != nil:
		return api.Instance{}, false, fmt.Errorf("target behind proxy %s: %w", proxy, err)
	case len(brokers) == 0:
		return api.Instance{}, false, fmt.Errorf(
			"target behind proxy %s: it shows no broker: make a topic there, and start the brokers if they aren't",
			proxy,
		)
	}
	return api.Instance{
		Provider: plan.ProviderExisting, Name: brokers[0].Cluster, NameServers: []string{proxy}, Version: "5.x",
		Cluster: brokers[0].Cluster,
	}, true, nil
}

// Purchase returns what Describe does: the cluster exists already.
func (e Existing) Purchase(ctx context.Context, p plan.Plan) (api.Instance, error) {
	is, _, err := e.Describe(ctx, p)
	return is, err
}

// oldestOf returns the broker with the oldest version. All of them must be able to be a target: of
// one cluster, of 5.x.
func oldestOf(brokers []rocketmq.Broker) (rocketmq.Broker, error) {
	if len(brokers) == 0 {
		return rocketmq.Broker{}, fmt.Errorf("no broker is registered: start the cluster's brokers")
	}
	for _, b := range brokers {
		if b.Cluster != brokers[0].Cluster {
			return rocketmq.Broker{}, fmt.Errorf(
				"they know two clusters, %s and %s: a target is one cluster with name servers of its own",
				brokers[0].Cluster, b.Cluster,
			)
		}
		if b.Version == "" {
			return rocketmq.Broker{}, fmt.Errorf(
				"broker %s (%s) doesn't say its version, and a target is RocketMQ 5.x: try again when it is up",
				b.Name, b.Addr,
			)
		}
		if !strings.HasPrefix(number(b.Version), "5.") {
			return rocketmq.Broker{}, fmt.Errorf("broker %s (%s) is RocketMQ %s: a target is RocketMQ 5.x",
				b.Name, b.Addr, number(b.Version))
		}
	}
	return slices.MinFunc(brokers, func(a, b rocketmq.Broker) int { return compareVersions(a.Version, b.Version) }), nil
}

// number writes a broker's version, such as V5_3_3, the way people do: 5.3.3.
func number(version string) string {
	return strings.ReplaceAll(strings.TrimPrefix(version, "V"), "_", ".")
}

func compareVersions(a, b string) int {
	as, bs := strings.Split(number(a), "."), strings.Split(number(b), ".")
	for i := range min(len(as), len(bs)) {
		x, _ := strconv.Atoi(as[i]) // a part that is no number counts as 0
		y, _ := strconv.Atoi(bs[i])
		if x != y {
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(len(as), len(bs))
}
