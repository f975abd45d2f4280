package ledger

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// stragglers are what applications wrote on the source after they had left it.
func (b *Builder) stragglers(ctx context.Context) error {
	lanes, err := b.AllLanes(b.SourceTopics.Selected(b.Plan, b.SourceBrokers))
	if err != nil {
		return err
	}
	found := make([]int64, len(lanes))
	err = clusters.Each(ctx, clusters.Indexes(lanes), func(ctx context.Context, i int) error {
		at, left, err := measure.LeftSource(ctx, b.Both, lanes[i])
		if err == nil && left {
			found[i], err = b.Translator.Reversed().NativesFrom(ctx, lanes[i].Back(), at)
		}
		return err
	})
	if err != nil {
		return b.Explain(ctx, err)
	}
	counts, where := map[string]int64{}, map[string][]string{}
	for i, lane := range lanes {
		if found[i] > 0 {
			counts[lane.Topic] += found[i]
			where[lane.Topic] = append(where[lane.Topic], fmt.Sprintf("%s %d", lane.Source, found[i]))
		}
	}
	for _, topic := range clusters.SortedKeys(counts) {
		b.Late = append(b.Late, api.LedgerRow{
			Kind:   KindStraggler,
			Object: "topic " + topic,
			Rest:   counts[topic],
			Detail: printable.Few(where[topic]),
		})
	}
	return nil
}

// Kinds of unfinished business.
const (
	KindLag       = "lag"
	KindRetry     = "retry"
	KindDead      = "dead letters"
	KindDelayed   = "delayed"
	KindHalf      = "half messages"
	KindConsumers = "consumers"
	KindProducers = "producers"
	KindStraggler = "stragglers"
	KindSlave     = "read from a slave"
	KindMetadata  = "metadata"
)

// The brokers' own topics and groups that hold what isn't delivered yet.
const (
	scheduleTopic = "SCHEDULE_TOPIC_XXXX"
	halfTopic     = "RMQ_SYS_TRANS_HALF_TOPIC"
	halfGroup     = "CID_RMQ_SYS_TRANS"
)

// Unfinished lists what is unfinished on the source, and tells how much it is by now.
func Unfinished(ctx context.Context, both clusters.Both, tell func(sum int64)) (*Builder, error) {
	b, err := openLedger(ctx, both)
	if err != nil {
		return nil, err
	}
	for _, entry := range []func(context.Context) error{
		b.lag, b.retries, b.pending, b.consumers, b.producers, b.stragglers, b.slaves, b.drift,
	} {
		tell(b.Sum)
		if err := entry(ctx); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// Builder is a ledger that is being written.
type Builder struct {
	rows, Late []api.LedgerRow
	Drift      []api.LedgerRow // groups whose settings aren't the target's; no rest
	Sum        int64           // of the rests of rows
	clusters.Both
	clusters.Layout
	groups    []string // selected
	positions map[string]clusters.Committed
}

func openLedger(ctx context.Context, s clusters.Both) (*Builder, error) {
	l, err := s.Layout(ctx)
	if err != nil {
		return nil, err
	}
	table, err := s.Source.GroupTable(ctx, l.SourceBrokers)
	if err != nil {
		return nil, err
	}
	offsets, err := s.Source.Positions(ctx, l.SourceBrokers)
	if err != nil {
		return nil, err
	}
	return &Builder{Both: s, Layout: l, groups: table.Selected(s.Plan), positions: offsets}, nil
}

// Enter adds what is unfinished of an object; nothing of what has no rest.
func (b *Builder) Enter(kind, object string, rest int64, detail string) {
	if rest > 0 {
		b.rows = append(b.rows, api.LedgerRow{Kind: kind, Object: object, Rest: rest, Detail: detail})
		b.Sum += rest
	}
}

// Sorted are the rows with the largest rests first, and the kinds that have no rest.
func (b *Builder) Sorted() []api.LedgerRow {
	open := map[string]bool{}
	for _, row := range b.rows {
		open[row.Kind] = true
	}
	sort.SliceStable(b.rows, func(i, j int) bool { return b.rows[i].Rest > b.rows[j].Rest })
	for _, kind := range []string{KindLag, KindRetry, KindDead, KindDelayed, KindHalf, KindConsumers, KindProducers} {
		if !open[kind] {
			b.rows = append(b.rows, api.LedgerRow{Kind: kind, Object: "all"})
		}
	}
	return b.rows
}

// lag is what the lanes have not copied, by topic.
func (b *Builder) lag(ctx context.Context) error {
	states, err := measure.Lanes(ctx, b.Both, b.Layout, b.SourceTopics.Selected(b.Plan, b.SourceBrokers))
	if err != nil {
		return err
	}
	byTopic := map[string][]measure.Lane{}
	for _, s := range states {
		byTopic[s.Lane.Topic] = append(byTopic[s.Lane.Topic], s)
	}
	for _, topic := range clusters.SortedKeys(byTopic) {
		state := measure.Sum(byTopic[topic])
		b.Enter(KindLag, "topic "+topic, state.Lag, "not copied yet, most of all "+state.Worst)
	}
	return nil
}

// retries are the messages that wait in the groups' retry topics, and those that ended in their
// dead-letter topics.
func (b *Builder) retries(ctx context.Context) error {
	for _, group := range b.groups {
		retry, err := b.ownRest(ctx, group, rocketmq.RetryTopic(group))
		if err != nil {
			return err
		}
		b.Enter(KindRetry, "group "+group, retry,
			"in "+rocketmq.RetryTopic(group)+", not copied yet: rocketshift lanes says what its lanes wait for")
		dead, err := b.ownRest(ctx, group, rocketmq.DLQTopic(group))
		if err != nil {
			return err
		}
		b.Enter(KindDead, "group "+group, dead,
			"in "+rocketmq.DLQTopic(group)+", not copied yet: rocketshift lanes says what its lanes wait for")
	}
	return nil
}

// rest counts the messages of a topic that lie behind the positions; without a position everything
// counts.
func (b *Builder) rest(ctx context.Context, topic string, at map[lane.Queue]int64) (int64, error) {
	ranges, err := b.Source.Ranges(ctx, b.SourceBrokers, b.SourceTopics, topic)
	if err != nil {
		return 0, err
	}
	rest := int64(0)
	for queue, span := range ranges {
		rest += max(0, span.Max-max(span.Min, at[queue]))
	}
	return rest, nil
}

// consumers are the members of selected groups that still read the source.
func (b *Builder) consumers(ctx context.Context) error {
	members, err := b.Source.MembersOf(ctx, b.SourceBrokers, b.groups)
	if err != nil {
		return err
	}
	for _, group := range b.groups {
		of := members[group]
		b.Enter(KindConsumers, "group "+group, int64(len(of.Members)), strings.Join(of.Addresses(), ", "))
	}
	return nil
}

// producers are all that are connected to the source: brokers don't know which topics a producer
// writes.
func (b *Builder) producers(ctx context.Context) error {
	found, untold, err := b.Source.Producers(ctx, b.SourceBrokers)
	if err != nil {
		return err
	}
	for _, name := range untold {
		b.Enter(KindProducers, "broker "+name, 1,
			clusters.UntoldProducers([]string{name})+": see yourself that nobody does")
	}
	for _, group := range clusters.SortedKeys(found) {
		var where []string
		for _, id := range clusters.SortedKeys(found[group]) {
			where = append(where, found[group][id].Addr+" ("+id+")")
		}
		b.Enter(KindProducers, "producer group "+group, int64(len(where)), printable.Few(where))
	}
	return nil
}

// ownRest counts the messages of a group's own topic that aren't copied yet. Without lanes, it is
// those behind the group's positions.
func (b *Builder) ownRest(ctx context.Context, group, topic string) (int64, error) {
	if len(b.SourceTopics[topic]) == 0 {
		return 0, nil
	}
	lanes, err := b.GroupLanes(topic)
	if fault.IsNotReady(err) {
		return b.rest(ctx, topic, b.positions[group][topic])
	}
	copied := map[lane.Queue]int64{}
	for _, lane := range lanes {
		at, _, err := b.Translator.Progress(ctx, lane)
		if err != nil {
			return 0, b.Explain(ctx, err)
		}
		copied[lane.Source] = max(at, b.positions[group][topic][lane.Source])
	}
	return b.rest(ctx, topic, copied)
}

// slaves enters that of a broker without a master only its slave was looked at.
func (b *Builder) slaves(context.Context) error {
	for _, name := range rocketmq.FromSlaves(b.SourceBrokers) {
		b.Enter(KindSlave, "broker "+name, 1,
			"has no master and was read from its slave: what the master had besides isn't known; start it")
	}
	return nil
}
