package servers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// mostRoutes is how many topics' routes are compared between name servers: those with the most
// messages. Which topics each of them knows is compared for all.
const mostRoutes = 500

// viewsOf compares what each name server of the source says of topics with what the first one says:
// a client asks one of them alone.
func viewsOf(ctx context.Context, c *clusters.One, seen facts.Facts) (all []api.Finding, err error) {
	if c.Proxy() != "" || len(c.NameServers()) < 2 {
		return nil, nil
	}
	for _, addr := range c.NameServers() {
		one := rocketmq.NewCluster(c.Client(), []string{addr})
		lacks, err := lacking(ctx, one, seen)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			continue // it doesn't answer, which is a finding of its own, or lists none
		}
		if len(lacks) > 0 {
			all = append(all, findings.NameServersDisagree.Refusal("source name server "+addr,
				"let each broker register with all name servers (namesrvAddr), and assess again after half a minute",
				"doesn't know topics that brokers have: %s", printable.Listed(lacks)))
		}
		other, err := otherRoutes(ctx, one, seen)
		if err != nil {
			return nil, c.Explain(ctx, err)
		}
		if other = slices.DeleteFunc(other, func(t string) bool { return slices.Contains(lacks, t) }); len(other) > 0 {
			all = append(all, findings.NameServersDisagree.Refusal("source name server "+addr,
				"end what takes a broker out at one name server alone (mqadmin wipeWritePerm is each one's own), "+
					"and assess again",
				"shows clients other queues of topics than %s: %s", c.NameServers()[0], printable.Listed(other)))
		}
	}
	return all, nil
}

// lacking are the selected topics that the name server doesn't know.
func lacking(ctx context.Context, one *rocketmq.Cluster, seen facts.Facts) (lacks []string, err error) {
	names, err := one.TopicNames(ctx)
	if err != nil {
		return nil, err
	}
	for _, topic := range seen.TopicNames {
		if _, knows := slices.BinarySearch(names, topic); !knows {
			lacks = append(lacks, topic)
		}
	}
	return lacks, nil
}

// otherRoutes are the topics of which the name server shows clients something else than was seen.
func otherRoutes(ctx context.Context, one *rocketmq.Cluster, seen facts.Facts) (other []string, err error) {
	topics := slices.Clone(seen.TopicNames)
	slices.SortStableFunc(topics, func(a, b string) int { return cmp.Compare(seen.Messages[b], seen.Messages[a]) })
	var mu sync.Mutex
	err = clusters.Each(ctx, topics[:min(len(topics), mostRoutes)], func(ctx context.Context, topic string) error {
		route, err := one.Route(ctx, topic)
		if err != nil && remoting.CodeOf(err) < 0 {
			return err
		}
		if shown(route) != shown(seen.Routes[topic]) {
			mu.Lock()
			defer mu.Unlock()
			other = append(other, topic)
		}
		return nil
	})
	slices.Sort(other)
	return other, err
}

// shown is what clients see of a topic, to be compared.
func shown(r rocketmq.Route) string {
	queues := slices.Clone(r.Queues)
	slices.SortFunc(queues, func(a, b rocketmq.RouteQueue) int { return cmp.Compare(a.BrokerName, b.BrokerName) })
	return fmt.Sprint(queues, r.Order)
}
