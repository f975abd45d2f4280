package driver

import (
	"fmt"
	"slices"

	"rocketshift/demo/ledger"
	"rocketshift/demo/verdict"
)

// ledgerTail follows all ledgers while they grow.
type ledgerTail struct {
	fleet *fleet
	sent  map[string]*sentLedger     // by topic
	got   map[string]*receivedLedger // by group
}

// sentLedger is of a topic: its producers' ledgers, and what was acknowledged.
type sentLedger struct {
	tails []*ledger.Tail[ledger.Sent]
	acked map[string]bool
}

type receivedLedger struct {
	tail *ledger.Tail[ledger.Received]
	ids  map[string]bool
}

func newLedgerTail(f *fleet) *ledgerTail {
	b := &ledgerTail{fleet: f, sent: map[string]*sentLedger{}, got: map[string]*receivedLedger{}}
	for topic, apps := range f.producers {
		sent := &sentLedger{acked: map[string]bool{}}
		for _, a := range apps {
			sent.tails = append(sent.tails, ledger.NewTail(f.ledger(a), ledger.ParseSent))
		}
		b.sent[topic] = sent
	}
	for name, a := range f.consumers {
		b.got[name] = &receivedLedger{ledger.NewTail(f.ledger(a), ledger.ParseReceived), map[string]bool{}}
	}
	return b
}

func (b *ledgerTail) refresh() error {
	for _, s := range b.sent {
		if err := s.refresh(); err != nil {
			return err
		}
	}
	for _, g := range b.got {
		records, err := g.tail.Next()
		if err != nil {
			return err
		}
		for _, r := range records {
			g.ids[r.ID] = true
		}
	}
	return nil
}

func (s *sentLedger) refresh() error {
	for _, tail := range s.tails {
		records, err := tail.Next()
		if err != nil {
			return err
		}
		for _, r := range records {
			if r.Outcome == ledger.Ack {
				s.acked[r.ID] = true
			}
		}
	}
	return nil
}

// acknowledged counts all acknowledged messages.
func (b *ledgerTail) acknowledged() (int, error) {
	if err := b.refresh(); err != nil {
		return 0, err
	}
	n := 0
	for _, s := range b.sent {
		n += len(s.acked)
	}
	return n, nil
}

// counts are how many messages were acknowledged by topic, and received by group.
func (b *ledgerTail) counts() (sent, got map[string]int, err error) {
	if err := b.refresh(); err != nil {
		return nil, nil, err
	}
	sent, got = map[string]int{}, map[string]int{}
	for topic, s := range b.sent {
		sent[topic] = len(s.acked)
	}
	for group, g := range b.got {
		got[group] = len(g.ids)
	}
	return sent, got, nil
}

// missing describes what groups have not received yet, or is empty.
func (b *ledgerTail) missing() (string, error) {
	if err := b.refresh(); err != nil {
		return "", err
	}
	for _, g := range groups() {
		for _, topic := range g.topics {
			if n := b.unreceived(g.name, topic); n > 0 {
				return fmt.Sprintf("group %s still has %d messages of topic %s to receive", g.name, n, topic), nil
			}
		}
	}
	return "", nil
}

// unreceived counts the acknowledged messages of a topic that a group has not received, as of the
// last refresh.
func (b *ledgerTail) unreceived(group, topic string) int {
	n := 0
	for id := range b.sent[topic].acked {
		if !b.got[group].ids[id] {
			n++
		}
	}
	return n
}

// lag counts what each of some groups has not received.
func (b *ledgerTail) lag(names []string) (map[string]int, error) {
	if err := b.refresh(); err != nil {
		return nil, err
	}
	lags := map[string]int{}
	for _, g := range groups() {
		if slices.Contains(names, g.name) {
			for _, topic := range g.topics {
				lags[g.name] += b.unreceived(g.name, topic)
			}
		}
	}
	return lags, nil
}

// verdictInput reads all ledgers from their beginnings: the verdict depends on no count that was
// kept along the way.
func (b *ledgerTail) verdictInput() (verdict.Input, error) {
	in := verdict.Input{Sent: map[string][]ledger.Sent{}}
	for _, t := range topics() {
		for i, a := range b.fleet.producers[t.name] {
			records, err := ledger.ReadSent(b.fleet.ledger(a))
			if err != nil {
				return in, err
			}
			in.Sent[t.producers[i]] = records
		}
	}
	for _, g := range groups() {
		records, err := ledger.ReadReceived(b.fleet.ledger(b.fleet.consumers[g.name]))
		if err != nil {
			return in, err
		}
		in.Groups = append(in.Groups, verdict.Group{
			Name: g.name, Topics: g.topics, Orderly: g.orderly, Ordered: orderedTopics(), Received: records,
		})
	}
	return in, nil
}
