package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/apache/rocketmq-client-go/v2/primitive"

	"rocketshift/demo/ledger"
)

// historyBatch is how many messages of the history go into one send: about 25 KB, a few
// milliseconds each.
const historyBatch = 100

type produceOptions struct {
	common
	topic   string
	name    string // of the producer: ids begin with it
	rate    float64
	keys    int
	ordered bool
	queues  int
	history int64
}

func produceFlags(args []string) (produceOptions, error) {
	var o produceOptions
	f := flag.NewFlagSet("produce", flag.ExitOnError)
	check := o.common.flags(f)
	f.StringVar(&o.topic, "topic", "", "topic to send to")
	f.StringVar(&o.name, "producer", "", "name of the producer: message ids are <producer>-<sequence>")
	f.Float64Var(&o.rate, "rate", 50, "messages a second")
	f.IntVar(&o.keys, "keys", 16, "number of keys that take turns")
	f.BoolVar(&o.ordered, "ordered", false, "send each key to its queue, so that the order of a key is kept")
	f.IntVar(&o.queues, "queues", 0, "with -ordered: number of queues; while the route shows fewer, nothing is sent")
	f.Int64Var(&o.history, "history", 0, "send this many messages quickly first, counted over all runs")
	_ = f.Parse(args) // ExitOnError
	if err := check(); err != nil {
		return o, err
	}
	if o.topic == "" || o.name == "" || o.rate <= 0 || o.keys < 1 {
		return o, fmt.Errorf("-topic and -producer are needed, -rate and -keys must be positive")
	}
	return o, nil
}

// sender sends one message (or one batch of the history) at a time: the next one goes out when the
// fate of this one is known.
type sender struct {
	o      produceOptions
	ledger *ledger.File
	link   link
	next   int64
}

func produce(ctx context.Context, o produceOptions) error {
	old, err := ledger.ReadSent(o.ledger)
	if err != nil {
		return err
	}
	s := &sender{o: o}
	if s.next, err = ledger.NextSeq(old, o.name); err != nil {
		return err
	}
	if s.ledger, err = ledger.Open(o.ledger); err != nil {
		return err
	}
	defer s.ledger.Close()
	s.link = newLink(o)
	defer s.link.close()
	fmt.Printf("ready producer %s of topic %s at %s, from %s on\n",
		o.name, o.topic, strings.Join(o.nameServers, ","), ledger.ID(o.name, s.next))
	return s.run(ctx)
}

func (s *sender) run(ctx context.Context) error {
	interval := time.Duration(float64(time.Second) / s.o.rate)
	due := time.Now()
	for ctx.Err() == nil {
		records := s.upcoming()
		if err := s.deliver(ctx, records); err != nil {
			return err
		}
		if len(records) > 1 {
			due = time.Now()
			continue
		}
		due = due.Add(interval)
		if late := time.Since(due); late > time.Second {
			due = time.Now() // after a pause it goes on at its rate, without a burst
		}
		sleep(ctx, time.Until(due))
	}
	return nil
}

// upcoming takes the next numbers: a batch while the history isn't written, then one by one. A
// batch has one key, so that an ordered batch belongs to one queue.
func (s *sender) upcoming() []ledger.Sent {
	n := min(historyBatch, s.o.history-s.next+1)
	turn := s.next
	if n > 1 {
		turn /= historyBatch
	} else {
		n = 1
	}
	key := fmt.Sprintf("key-%d", turn%int64(s.o.keys))
	records := make([]ledger.Sent, 0, n)
	for range n {
		records = append(records, ledger.Sent{ID: ledger.ID(s.o.name, s.next), Key: key, Topic: s.o.topic})
		s.next++
	}
	return records
}

// deliver sends records as one request until they are stored, or until nobody can say whether they
// are.
func (s *sender) deliver(ctx context.Context, records []ledger.Sent) error {
	if err := s.note(ledger.Try, records); err != nil {
		return err
	}
	messages, err := encode(records)
	if err != nil {
		return err
	}
	for {
		err := s.link.send(records[0].Key, messages)
		switch outcome := outcomeOf(err); outcome {
		case ledger.Ack, ledger.Maybe:
			if err != nil {
				log.Printf("%s: no answer, it may be stored: %v", records[0].ID, err)
			}
			return s.note(outcome, records)
		case ledger.Try, ledger.None: // it isn't stored
		}
		if !sleep(ctx, retryPause()) {
			log.Printf("%s: given up, the application ends: %v", records[0].ID, err)
			return s.note(ledger.None, records)
		}
	}
}

func (s *sender) note(outcome ledger.Outcome, records []ledger.Sent) error {
	now := time.Now().UnixNano()
	for i := range records {
		records[i].Outcome, records[i].At = outcome, now
	}
	return s.ledger.Sent(records...)
}

// retryPause is 50 to 100 ms: soon enough that a queue that opens is seen at once, apart from other
// producers.
func retryPause() time.Duration { return 50*time.Millisecond + rand.N(50*time.Millisecond) }

// sleep waits, or returns false when the context ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// body is what a message carries.
type body struct {
	ID   string `json:"id"`
	Key  string `json:"key"`
	Note string `json:"note"`
}

// note makes bodies as long as a small business message.
var note = strings.Repeat("a thing was ordered, paid and shipped. ", 4)

func encode(records []ledger.Sent) ([]*primitive.Message, error) {
	messages := make([]*primitive.Message, len(records))
	for i, r := range records {
		data, err := json.Marshal(body{ID: r.ID, Key: r.Key, Note: note})
		if err != nil {
			return nil, err
		}
		messages[i] = primitive.NewMessage(r.Topic, data).WithKeys([]string{r.ID}).WithShardingKey(r.Key)
	}
	return messages, nil
}
