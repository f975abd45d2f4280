package activities

import (
	"context"
	"sort"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
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
	both, err := l.settings.clusters().both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return api.Ledger{}, err
	}
	if err := both.whole(ctx); err != nil {
		return api.Ledger{}, err
	}
	b, err := both.openBook(ctx)
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
	sides
	layout
	groups    []string // selected
	positions map[string]committed
}

func (s sides) openBook(ctx context.Context) (*ledgerBuilder, error) {
	l, err := s.layout(ctx)
	if err != nil {
		return nil, err
	}
	table, err := s.source.groupTable(ctx, l.sourceBrokers)
	if err != nil {
		return nil, err
	}
	offsets, err := s.source.positions(ctx, l.sourceBrokers)
	if err != nil {
		return nil, err
	}
	return &ledgerBuilder{sides: s, layout: l, groups: table.selected(s.plan), positions: offsets}, nil
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
	if ledger.Rows, err = bounded(ctx, l.settings, r, "ledger", b.sorted(), rowsRoom); err != nil {
		return ledger, err
	}
	ledger.Stragglers, err = bounded(ctx, l.settings, r, "stragglers", b.late, rowsRoom)
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
	states, err := b.measure(ctx, b.layout, b.sourceTopics.selected(b.plan, b.sourceBrokers))
	if err != nil {
		return err
	}
	byTopic := map[string][]laneState{}
	for _, s := range states {
		byTopic[s.lane.Topic] = append(byTopic[s.lane.Topic], s)
	}
	for _, topic := range sortedKeys(byTopic) {
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
	ranges, err := b.source.ranges(ctx, b.sourceBrokers, b.sourceTopics, topic)
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
	members, err := b.source.membersOf(ctx, b.sourceBrokers, b.groups)
	if err != nil {
		return err
	}
	for _, group := range b.groups {
		of := members[group]
		b.enter(kindConsumers, "group "+group, int64(len(of.members)), strings.Join(of.addresses(), ", "))
	}
	return nil
}

// producers are all that are connected to the source: brokers don't know which topics a producer
// writes.
func (b *ledgerBuilder) producers(ctx context.Context) error {
	found, untold, err := b.source.producers(ctx, b.sourceBrokers)
	if err != nil {
		return err
	}
	for _, name := range untold {
		b.enter(kindProducers, "broker "+name, 1, untoldProducers([]string{name})+": see yourself that nobody does")
	}
	for _, group := range sortedKeys(found) {
		var where []string
		for _, id := range sortedKeys(found[group]) {
			where = append(where, found[group][id].Addr+" ("+id+")")
		}
		b.enter(kindProducers, "producer group "+group, int64(len(where)), list(where))
	}
	return nil
}
