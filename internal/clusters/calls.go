package clusters

import (
	"context"
	"sort"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// SortedQueues are the queues in client order: by broker name, then by id.
func SortedQueues[V any](m map[lane.Queue]V) []lane.Queue {
	all := make([]lane.Queue, 0, len(m))
	for q := range m {
		all = append(all, q)
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].Broker != all[j].Broker {
			return all[i].Broker < all[j].Broker
		}
		return all[i].ID < all[j].ID
	})
	return all
}

// SortedKeys are the keys in their order.
func SortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// AddressesOf are the addresses of brokers by their names.
func AddressesOf(brokers []rocketmq.Broker) map[string]string {
	byName := map[string]string{}
	for _, b := range brokers {
		byName[b.Name] = b.Addr
	}
	return byName
}

// Together bounds calls that run at the same time against one side: brokers serve admin calls from
// few threads.
const Together = 8

// Each calls do for every item, a few at the same time, and returns the first error.
func Each[T any](ctx context.Context, items []T, do func(context.Context, T) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(Together)
	for _, item := range items {
		group.Go(func() error { return do(ctx, item) })
	}
	return group.Wait()
}

// Indexes are the numbers of the items, for work whose results stay in their order.
func Indexes[T any](items []T) []int {
	numbers := make([]int, len(items))
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}
