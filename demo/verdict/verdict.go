// Package verdict says from the ledgers of producers and groups whether a migration harmed anybody:
// whether each group received each acknowledged message of its topics exactly once, in order where
// order was promised, and how long the longest pause was. It is pure: records in, verdict out.
package verdict

import (
	"fmt"
	"slices"

	"rocketshift/demo/ledger"
)

// Verdict is the one line that the demo ends with.
type Verdict struct {
	// Lost counts acknowledged messages that a group of their topic never received, per group.
	Lost int64 `json:"lost"`
	// Duplicated counts deliveries beyond the first of a message to a group.
	Duplicated int64 `json:"duplicated"`
	// OutOfOrder counts deliveries to orderly groups that came after a later message of the same
	// producer and key.
	OutOfOrder int64 `json:"outOfOrder"`
	// LongestPauseMs is the longest time without an acknowledgement for a producer, or without a
	// delivery to a group that had something to receive.
	LongestPauseMs int64 `json:"longestPauseMs"`
	// Messages counts acknowledged messages.
	Messages int64 `json:"messages"`
	Seconds  int64 `json:"seconds"`
}

// Clean reports whether nobody was harmed.
func (v Verdict) Clean() bool { return v.Lost == 0 && v.Duplicated == 0 && v.OutOfOrder == 0 }

// Group is what one consumer group subscribed to and received, in the order of its ledger.
type Group struct {
	Name   string
	Topics []string
	// Orderly says that the group was promised the order of each producer and key, in the topics of
	// Ordered.
	Orderly  bool
	Ordered  []string
	Received []ledger.Received
}

// Input is all ledgers: producers' records by producer, and groups.
type Input struct {
	Sent   map[string][]ledger.Sent
	Groups []Group
}

// Detail explains a verdict to a person.
type Detail struct {
	Pause string // whose pause was the longest
	// Pauses are the longest of each, in milliseconds: as LongestPauseMs, by "producer NAME" and
	// "group NAME".
	Pauses map[string]int64
	// Unclear counts messages whose send got no answer: each may be there once.
	Unclear  int64
	Examples []string // the first of each kind of harm
	// Reread are those of the duplicated that a run of an application read again from the place
	// where it had read them: its client asked for them twice. At is Unix time in nanoseconds of
	// the later delivery.
	Reread []Reread
}

// Reread is one message that a client read again.
type Reread struct {
	Group, Member, ID string
	At                int64
}

// maxExamples bounds the examples of one kind of harm of one group.
const maxExamples = 5

// Judge computes the verdict. A delivery that no producer tried to send is an error: the ledgers
// don't belong together.
func Judge(in Input) (Verdict, Detail, error) {
	j := judge{sent: map[string]message{}, d: Detail{Pauses: map[string]int64{}}}
	for producer, records := range in.Sent {
		if err := j.addProducer(producer, records); err != nil {
			return Verdict{}, Detail{}, err
		}
	}
	for _, g := range in.Groups {
		if err := j.addGroup(g); err != nil {
			return Verdict{}, Detail{}, err
		}
	}
	for _, g := range in.Groups {
		j.pauseOf("deliveries to ", "group "+g.Name, groupPause(g, j.acked(g.Topics)))
	}
	return j.v, j.d, nil
}

// message is what is known of a message from its producer.
type message struct {
	topic, key, producer string
	seq                  int64
	acked                bool
	at                   int64
}

type judge struct {
	sent map[string]message
	v    Verdict
	d    Detail
}

func (j *judge) addProducer(producer string, records []ledger.Sent) error {
	var acks []int64
	for _, r := range ledger.Settled(records) {
		name, seq, err := ledger.SplitID(r.ID)
		if err != nil {
			return err
		}
		if name != producer {
			return fmt.Errorf("ledger of producer %s: it holds message %s of another producer", producer, r.ID)
		}
		m := message{topic: r.Topic, key: r.Key, producer: producer, seq: seq, acked: r.Outcome == ledger.Ack, at: r.At}
		j.sent[r.ID] = m
		switch r.Outcome {
		case ledger.Ack:
			j.v.Messages++
			acks = append(acks, r.At)
		case ledger.Maybe, ledger.Try:
			j.d.Unclear++
		case ledger.None: // it was given up
		}
	}
	j.pauseOf("acknowledgements of ", "producer "+producer, longestGap(acks))
	return nil
}

func (j *judge) addGroup(g Group) error {
	times := make(map[string]int, len(g.Received))
	first := make(map[string]ledger.Received, len(g.Received))
	last := map[[2]string]int64{} // producer and key -> highest sequence delivered
	dup, order := &examples{d: &j.d}, &examples{d: &j.d}
	for _, r := range g.Received {
		m, known := j.sent[r.ID]
		if !known {
			return fmt.Errorf("group %s received message %q (%s %s queue %d offset %d), which no producer sent",
				g.Name, r.ID, r.Topic, r.Broker, r.Queue, r.Offset)
		}
		times[r.ID]++
		if times[r.ID] == 1 {
			first[r.ID] = r
		} else {
			j.v.Duplicated++
			dup.add("duplicated: group %s received %s %d times (last %s %s queue %d offset %d)",
				g.Name, r.ID, times[r.ID], r.Topic, r.Broker, r.Queue, r.Offset)
			if readAgain(first[r.ID], r) {
				j.d.Reread = append(j.d.Reread, Reread{g.Name, r.Member, r.ID, r.At})
			}
			continue // its order was judged at the first delivery
		}
		if !g.ordered(m.topic) || !m.acked {
			continue // an unclear message may surface late: nobody was promised its order
		}
		lane := [2]string{m.producer, m.key}
		if m.seq < last[lane] {
			j.v.OutOfOrder++
			order.add("out of order: group %s received %s of key %s after %s", g.Name, r.ID, m.key,
				ledger.ID(m.producer, last[lane]))
			continue
		}
		last[lane] = m.seq
	}
	j.countLost(g, times)
	return nil
}

// readAgain reports whether the same run of an application got both from the same place.
func readAgain(first, r ledger.Received) bool {
	return r.Member != "" && r.Member == first.Member && r.Topic == first.Topic && r.Broker == first.Broker &&
		r.Queue == first.Queue &&
		r.Offset == first.Offset
}

func (j *judge) countLost(g Group, times map[string]int) {
	lost := &examples{d: &j.d}
	for id, m := range j.sent {
		if m.acked && slices.Contains(g.Topics, m.topic) && times[id] == 0 {
			j.v.Lost++
			lost.add("lost: group %s never received %s of topic %s", g.Name, id, m.topic)
		}
	}
}

func (g Group) ordered(topic string) bool { return g.Orderly && slices.Contains(g.Ordered, topic) }

// acked lists the acknowledgement times of some topics' messages.
func (j *judge) acked(topics []string) []int64 {
	var at []int64
	for _, m := range j.sent {
		if m.acked && slices.Contains(topics, m.topic) {
			at = append(at, m.at)
		}
	}
	return at
}

func (j *judge) pauseOf(what, who string, p pause) {
	ms := p.length / 1e6
	j.d.Pauses[who] = ms
	if ms > j.v.LongestPauseMs {
		j.v.LongestPauseMs = ms
		j.d.Pause = fmt.Sprintf("%s%s, from %s", what, who, clock(p.from))
	}
}

type examples struct {
	d *Detail
	n int
}

func (e *examples) add(format string, args ...any) {
	if e.n++; e.n <= maxExamples {
		e.d.Examples = append(e.d.Examples, fmt.Sprintf(format, args...))
	}
}
