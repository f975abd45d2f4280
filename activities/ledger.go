package activities

import (
	"context"
	"sort"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// Kinds of unfinished business.
const (
	kindLag       = "lag"
	kindRetry     = "retry"
	kindDead      = "dead letters"
	kindDelayed   = "delayed"
	kindHalf      = "half messages"
	kindConsumers = "consumers"
	kindProducers = "producers"
	kindStraggler = "stragglers"
	kindSlave     = "read from a slave"
)

// The brokers' own topics and groups that hold what isn't delivered yet.
const (
	scheduleTopic = "SCHEDULE_TOPIC_XXXX"
	halfTopic     = "RMQ_SYS_TRANS_HALF_TOPIC"
	halfGroup     = "CID_RMQ_SYS_TRANS"
)

// Ledgers measures what is unfinished on the source.
type Ledgers struct{ settings Settings }

// NewLedgers returns the activities of Finalize.
func NewLedgers(s Settings) *Ledgers { return &Ledgers{s.withDefaults()} }

// Ledger lists what is still unfinished on the source.
func (l *Ledgers) Ledger(ctx context.Context, r Request) (_ api.Ledger, err error) {
	defer explained(&err)
	both, err := l.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return api.Ledger{}, err
	}
	if err := both.Whole(ctx); err != nil {
		return api.Ledger{}, err
	}
	b, err := openLedger(ctx, both)
	if err != nil {
		return api.Ledger{}, err
	}
	for _, entry := range []func(context.Context) error{
		b.lag, b.retries, b.pending, b.consumers, b.producers, b.stragglers, b.slaves,
	} {
		activity.RecordHeartbeat(ctx, b.sum)
		if err := entry(ctx); err != nil {
			return api.Ledger{}, err
		}
	}
	return l.close(ctx, r, b)
}

// ledgerBuilder is a ledger that is being written.
type ledgerBuilder struct {
	rows, late []api.LedgerRow
	sum        int64 // of the rests of rows
	clusters.Both
	clusters.Layout
	groups    []string // selected
	positions map[string]clusters.Committed
}

func openLedger(ctx context.Context, s clusters.Both) (*ledgerBuilder, error) {
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
	return &ledgerBuilder{Both: s, Layout: l, groups: table.Selected(s.Plan), positions: offsets}, nil
}

func (b *ledgerBuilder) enter(kind, object string, rest int64, detail string) {
	if rest > 0 {
		b.rows = append(b.rows, api.LedgerRow{Kind: kind, Object: object, Rest: rest, Detail: detail})
		b.sum += rest
	}
}

// close is the ledger as it may stand in a history. What doesn't change keeps its digest: an
// approval is bound to it.
func (l *Ledgers) close(ctx context.Context, r Request, b *ledgerBuilder) (api.Ledger, error) {
	ledger := api.Ledger{Rest: b.sum, Measured: time.Now().UTC()}
	var err error
	if ledger.Rows, err = lists.Bounded(ctx, l.settings.lists(r), "ledger", b.sorted(), lists.RowsRoom); err != nil {
		return ledger, err
	}
	ledger.Stragglers, err = lists.Bounded(ctx, l.settings.lists(r), "stragglers", b.late, lists.RowsRoom)
	return ledger, err
}

// sorted are the rows with the largest rests first, and the kinds that have no rest.
func (b *ledgerBuilder) sorted() []api.LedgerRow {
	open := map[string]bool{}
	for _, row := range b.rows {
		open[row.Kind] = true
	}
	sort.SliceStable(b.rows, func(i, j int) bool { return b.rows[i].Rest > b.rows[j].Rest })
	for _, kind := range []string{kindLag, kindRetry, kindDead, kindDelayed, kindHalf, kindConsumers, kindProducers} {
		if !open[kind] {
			b.rows = append(b.rows, api.LedgerRow{Kind: kind, Object: "all"})
		}
	}
	return b.rows
}

// lag is what the lanes have not copied, by topic.
func (b *ledgerBuilder) lag(ctx context.Context) error {
	states, err := measureLanes(ctx, b.Both, b.Layout, b.SourceTopics.Selected(b.Plan, b.SourceBrokers))
	if err != nil {
		return err
	}
	byTopic := map[string][]laneState{}
	for _, s := range states {
		byTopic[s.lane.Topic] = append(byTopic[s.lane.Topic], s)
	}
	for _, topic := range clusters.SortedKeys(byTopic) {
		state := summary(byTopic[topic])
		b.enter(kindLag, "topic "+topic, state.Lag, "not copied yet, most of all "+state.Worst)
	}
	return nil
}

// retries are the messages that wait in the groups' retry topics, and those that ended in their
// dead-letter topics.
func (b *ledgerBuilder) retries(ctx context.Context) error {
	for _, group := range b.groups {
		retry, err := b.ownRest(ctx, group, rocketmq.RetryTopic(group))
		if err != nil {
			return err
		}
		b.enter(kindRetry, "group "+group, retry,
			"in "+rocketmq.RetryTopic(group)+", not copied yet: rocketshift lanes says what its lanes wait for")
		dead, err := b.ownRest(ctx, group, rocketmq.DLQTopic(group))
		if err != nil {
			return err
		}
		b.enter(kindDead, "group "+group, dead,
			"in "+rocketmq.DLQTopic(group)+", not copied yet: rocketshift lanes says what its lanes wait for")
	}
	return nil
}

// rest counts the messages of a topic that lie behind the positions; without a position everything
// counts.
func (b *ledgerBuilder) rest(ctx context.Context, topic string, at map[lane.Queue]int64) (int64, error) {
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
func (b *ledgerBuilder) consumers(ctx context.Context) error {
	members, err := b.Source.MembersOf(ctx, b.SourceBrokers, b.groups)
	if err != nil {
		return err
	}
	for _, group := range b.groups {
		of := members[group]
		b.enter(kindConsumers, "group "+group, int64(len(of.Members)), strings.Join(of.Addresses(), ", "))
	}
	return nil
}

// producers are all that are connected to the source: brokers don't know which topics a producer
// writes.
func (b *ledgerBuilder) producers(ctx context.Context) error {
	found, untold, err := b.Source.Producers(ctx, b.SourceBrokers)
	if err != nil {
		return err
	}
	for _, name := range untold {
		b.enter(kindProducers, "broker "+name, 1, clusters.UntoldProducers([]string{name})+": see yourself that nobody does")
	}
	for _, group := range clusters.SortedKeys(found) {
		var where []string
		for _, id := range clusters.SortedKeys(found[group]) {
			where = append(where, found[group][id].Addr+" ("+id+")")
		}
		b.enter(kindProducers, "producer group "+group, int64(len(where)), printable.Few(where))
	}
	return nil
}

// ownRest counts the messages of a group's own topic that aren't copied yet. Without lanes, it is
// those behind the group's positions.
func (b *ledgerBuilder) ownRest(ctx context.Context, group, topic string) (int64, error) {
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
