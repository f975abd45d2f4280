package metadata

import (
	"context"
	"slices"
	"sync"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// listed is how many topics or groups one call makes, where brokers take lists (5.3 and later): a
// broker writes its whole file with each call, so that 10,000 single ones take ten minutes. A list
// of 500 has 150 kB and takes well under a second.
const listed = 500

// Apply compares, changes the target, and compares again until everything is as wanted; it returns
// what the first comparison found. Brokers may stop in the middle of a list with success: what is
// missing then is made one by one.
func Apply(
	ctx context.Context, both clusters.Both, wanted Wanted, tell func(api.ApplyProgress),
) (*Chunk, error) {
	done, err := Compare(ctx, both, wanted)
	if err != nil {
		return nil, err
	}
	return done, done.Apply(ctx, tell)
}

// Apply changes the target as a comparison found, and reads it back.
func (o *Chunk) Apply(ctx context.Context, tell func(api.ApplyProgress)) error {
	done := o
	if len(done.Conflicts) > 0 {
		first := done.Conflicts[0]
		return fault.Conflict("%d conflicts, first: %s %s: %s", len(done.Conflicts), first.Object,
			first.Cause, first.Next)
	}
	for _, singly := range []bool{false, true} {
		w := newWriter(done, singly, tell)
		if w.total == 0 {
			return nil
		}
		if err := w.write(ctx); err != nil {
			return err
		}
		var err error
		if done, err = done.Again(ctx); err != nil {
			return err
		}
	}
	return done.notTaken()
}

// notTaken is the error about the first object that isn't as it was made.
func (o *Chunk) notTaken() error {
	for _, topic := range clusters.SortedKeys(o.MissingTopics) {
		return fault.NotTaken("topic %s: created, and isn't there on %v when read back", topic, o.MissingTopics[topic])
	}
	for _, group := range clusters.SortedKeys(o.MissingGroups) {
		return fault.NotTaken("group %s: created, and isn't there on %v when read back", group, o.MissingGroups[group])
	}
	for _, topic := range clusters.SortedKeys(o.ChangedTopics) {
		return fault.NotTaken("topic %s: changed, and reads back otherwise", topic)
	}
	for _, group := range clusters.SortedKeys(o.ChangedGroups) {
		return fault.NotTaken("group %s: changed, and reads back otherwise", group)
	}
	for _, kv := range o.KV {
		return fault.NotTaken("%s: written, and reads back otherwise", kv)
	}
	return nil
}

// writer makes and changes what a chunk lacks.
type writer struct {
	*Chunk
	singly bool
	tell   func(api.ApplyProgress)
	topics map[string][]rocketmq.TopicConfig // by broker
	groups map[string][]rocketmq.Group
	begun  time.Time
	total  int

	mu   sync.Mutex // of done, and held while it is told: later numbers come later
	done int        // how many objects are written
}

func newWriter(o *Chunk, singly bool, tell func(api.ApplyProgress)) *writer {
	w := &writer{
		Chunk: o, singly: singly, tell: tell, begun: time.Now(),
		topics: map[string][]rocketmq.TopicConfig{}, groups: map[string][]rocketmq.Group{},
	}
	for _, name := range clusters.SortedKeys(o.MissingTopics) {
		for _, broker := range o.MissingTopics[name] {
			w.topics[broker] = append(w.topics[broker], o.wantTopics[name][broker])
		}
	}
	for _, name := range clusters.SortedKeys(o.ChangedTopics) {
		for broker, config := range o.ChangedTopics[name] {
			w.topics[broker] = append(w.topics[broker], config)
		}
	}
	for _, name := range clusters.SortedKeys(o.MissingGroups) {
		for _, broker := range o.MissingGroups[name] {
			w.groups[broker] = append(w.groups[broker], o.wantGroups[name])
		}
	}
	for _, name := range clusters.SortedKeys(o.ChangedGroups) {
		for broker, group := range o.ChangedGroups[name] {
			w.groups[broker] = append(w.groups[broker], group)
		}
	}
	for broker := range o.addr {
		w.total += len(w.topics[broker]) + len(w.groups[broker])
	}
	w.total += len(o.KV)
	return w
}

// write makes groups first, so that a member that connects early finds its group closed.
func (w *writer) write(ctx context.Context) error {
	client := w.Target.Client()
	for _, broker := range clusters.SortedKeys(w.addr) {
		addr := w.addr[broker]
		err := inLists(ctx, w, w.groups[broker],
			func(ctx context.Context, all []rocketmq.Group) error { return client.PutGroups(ctx, addr, all) },
			func(ctx context.Context, g rocketmq.Group) error { return client.PutGroup(ctx, addr, g) })
		if err != nil {
			return w.Target.Explain(ctx, err)
		}
		err = inLists(ctx, w, w.topics[broker],
			func(ctx context.Context, all []rocketmq.TopicConfig) error {
				return client.CreateTopics(ctx, addr, all)
			},
			func(ctx context.Context, t rocketmq.TopicConfig) error { return client.CreateTopic(ctx, addr, t) })
		if err != nil {
			return w.Target.Explain(ctx, err)
		}
	}
	for _, kv := range w.KV {
		if err := client.PutKV(ctx, kv.nameServer, kv.namespace, kv.key, kv.value); err != nil {
			return w.Target.Explain(ctx, err)
		}
		w.count(1)
	}
	return nil
}

// inLists writes objects of one broker by lists. Where it takes none, or refuses one, which doesn't
// say for which object, it writes them one by one.
func inLists[T any](
	ctx context.Context, w *writer, all []T,
	list func(context.Context, []T) error, one func(context.Context, T) error,
) error {
	for part := range slices.Chunk(all, listed) {
		if len(part) > 1 && !w.singly {
			err := list(ctx, part)
			if err == nil {
				w.count(len(part))
				continue
			}
			if remoting.CodeOf(err) < 0 || remoting.Denied(err) || remoting.Retryable(err) {
				return err
			}
		}
		err := clusters.Each(ctx, part, func(ctx context.Context, t T) error {
			if err := one(ctx, t); err != nil {
				return err
			}
			w.count(1)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// count tells how far the writer is.
func (w *writer) count(more int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done += more
	p := api.ApplyProgress{Done: w.done, Total: w.total}
	if gone := time.Since(w.begun); w.done < w.total {
		p.Left = (gone / time.Duration(w.done) * time.Duration(w.total-w.done)).Round(time.Second)
	}
	w.tell(p)
}
