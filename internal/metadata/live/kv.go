package live

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rocketshift/internal/metadata"
	"rocketshift/internal/metadata/brokerjson"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// kv reads the order configuration and the other namespaces. Name servers know nothing of each
// other: each is asked, the first one counts, and that others say something else is a gap.
func (r Reader) kv(ctx context.Context, registry rocketmq.Registry, c *metadata.Cluster, gaps *metadata.Gaps) error {
	for _, namespace := range append([]string{metadata.OrderNamespace}, r.Namespaces...) {
		var first map[string]string
		from := ""
		for _, server := range registry.NameServers {
			if server.Err != nil {
				continue
			}
			table, err := r.namespace(ctx, server.Addr, namespace)
			if err != nil {
				return err
			}
			if from == "" {
				first, from = table, server.Addr
				continue
			}
			for _, key := range unlike(first, table) {
				gaps.Add("KV "+namespace, fmt.Sprintf("name server %s says something else than %s, which counts",
					server.Addr, from), key)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(first)) {
			if namespace == metadata.OrderNamespace {
				c.Order = append(c.Order, metadata.Order{Topic: key, Queues: first[key]})
			} else {
				c.KV = append(c.KV, metadata.KV{Namespace: namespace, Key: key, Value: first[key]})
			}
		}
	}
	if len(r.Namespaces) == 0 {
		gaps.Add("KV of name servers", "they don't list their namespaces: only "+metadata.OrderNamespace+
			" was read; name others")
	}
	return nil
}

func (r Reader) namespace(ctx context.Context, nameServer, namespace string) (map[string]string, error) {
	got, err := r.ask(ctx, nameServer, &remoting.Command{
		Code: remoting.CodeKVList, Fields: map[string]string{"namespace": namespace},
	}, remoting.QueryNotFound)
	if err != nil || got.Code == remoting.QueryNotFound {
		return nil, err
	}
	o, err := brokerjson.Document(got.Body)
	if err != nil {
		return nil, &metadata.Problem{In: "name server " + nameServer, At: "KV " + namespace, Why: err.Error()}
	}
	return o.Object("table").Texts(), nil
}

// unlike are the keys of which two tables say different things.
func unlike(a, b map[string]string) []string {
	keys := slices.Sorted(maps.Keys(a))
	keys = append(keys, slices.Sorted(maps.Keys(b))...)
	slices.SortFunc(keys, strings.Compare)
	return slices.DeleteFunc(slices.Compact(keys), func(key string) bool {
		in, there := a[key]
		other, too := b[key]
		return there == too && in == other
	})
}
