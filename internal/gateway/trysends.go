package gateway

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/checks"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// Whether the target lets producers send what they send depends on their keys, too. So before homes
// move, and groups whose members answer requests, a send is tried in the name of each such client:
// to a queue that no topic has. Brokers look at rights, at the topic and at its permission before
// they look at the queue (AbstractSendMessageProcessor.msgCheck, 4.5.2 to 5.3.3), and refuse it
// then: nothing is stored, and nobody gets anything.

// noQueue is a queue that no topic has.
const noQueue = math.MaxInt32

// refusesQueue reports whether a broker has refused a send for its queue alone. The words are the
// same from 4.5.2 to 5.3.3; the code stands for much else.
func refusesQueue(said *brokersAnswer) bool {
	return strings.Contains(said.remark, "queueId[") && strings.Contains(said.remark, "is illegal")
}

// sendTry is one send that is tried.
type sendTry struct {
	as            asker
	topic, broker string
	client, what  string
}

// sendTries are what has to be tried for topics: of clients with the same key, one on each broker.
// Clients without a key have no rights of their own, and those that can't follow are told
// elsewhere.
func (g *Gateway) sendTries(topics []string) (all []sendTry) {
	seen, wanted := map[string]bool{}, map[string]bool{}
	for _, topic := range topics {
		wanted[topic] = true
	}
	for _, s := range g.clients.registry.all() {
		client, key := s.signing()
		if key == "" {
			continue
		}
		for _, topic := range s.wrote.kept() { // a few, where a round may be about thousands
			if !wanted[topic] {
				continue
			}
			for _, at := range g.table.OnePerBroker(topic) {
				if what := fmt.Sprintf("%q %q %s", key, topic, at.Broker); !seen[what] {
					seen[what] = true
					all = append(all, sendTry{
						asker{s, key, remoting.CodeSendV2},
						topic,
						at.Broker,
						client,
						"sends to topic " + topic,
					})
				}
			}
		}
	}
	return all
}

// replyTries are what has to be tried for a group: its members that answer requests do so at the
// target once the source is gone.
func (g *Gateway) replyTries(group string) (all []sendTry) {
	seen := map[string]bool{}
	for _, s := range g.clients.registry.all() {
		client, key := s.signing()
		s.mu.Lock()
		member := slices.ContainsFunc(s.reads, func(m bodies.Membership) bool { return m.Group == group })
		s.mu.Unlock()
		if key == "" || !member || !s.replied.Load() {
			continue
		}
		for _, broker := range s.repliesTo() {
			if what := fmt.Sprintf("%q %s", key, broker); !seen[what] {
				seen[what] = true
				topic := rocketmq.ReplyTopic(g.sides.Clusters[routing.Target].Of(broker))
				all = append(all,
					sendTry{asker{s, key, remoting.CodeReplyV2}, topic, broker, client, "answers requests"})
			}
		}
	}
	return all
}

// signing is the client that signs what comes here, as people know it; key is "" if it doesn't
// sign, or can't follow to the target.
func (s *session) signing() (client, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if client = s.client; client == "" { // by VIP channels no heartbeat comes
		client = s.conn.RemoteAddr().String()
	}
	if s.problem() != "" {
		return client, ""
	}
	return client, s.accessKey
}

// kept are the topics of which it is known.
func (w *wroteTo) kept() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return routing.SortedKeys(w.all)
}

// refusal is what the broker says against a send; "" if it would take it.
func (t sendTry) refusal(ctx context.Context) (string, error) {
	_, err := t.as.askWith(ctx, routing.Dest{Side: routing.Target, Broker: t.broker}, []string{
		"a", "CLIENT_INNER_PRODUCER", "b", t.topic, "c", "TBW102", "d", "4", "e", strconv.Itoa(noQueue), "f", "0",
		"g", "0", "h", "0", "i", "", "j", "0", "k", "false", "m", "false", "n", t.broker,
	}, []byte("rocketshift"))
	var said *brokersAnswer
	switch {
	case err == nil:
		return "", fmt.Errorf("target broker %s took a send to queue %d, which no topic has", t.broker, noQueue)
	case !errors.As(err, &said):
		return "", err
	case refusesQueue(said):
		return "", nil
	case said.code == remoting.SystemBusy || said.code == remoting.ServiceNotAvailable:
		return "", err // it says nothing of the send
	}
	says := said.firstLine()
	return fmt.Sprintf("%s, which %s: target broker %s: code %d: %s", t.client, t.what, t.broker, said.code, says), nil
}

// trySends carries out attempts. It returns what brokers say against them.
func (g *Gateway) trySends(ctx context.Context, tries []sendTry) (refusals []string, err error) {
	if len(tries) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	var mu sync.Mutex
	var all errgroup.Group
	all.SetLimit(replicas.ProvedTogether)
	for _, try := range tries {
		all.Go(func() error {
			why, err := try.refusal(ctx)
			if why != "" {
				mu.Lock()
				defer mu.Unlock()
				refusals = append(refusals, why)
			}
			return err
		})
	}
	err = all.Wait()
	return control.Distinct(refusals), err
}

// takesAll refuses to move homes to brokers of the target that don't take what producers send, or
// not from them. It returns what becomes inexact where the caller accepts the topics.
func (g *Gateway) takesAll(ctx context.Context, r store.Round) (inexact []string, err error) {
	if inexact, err = g.checks.TakesSends(r); err != nil {
		return nil, err
	}
	l, err := g.sides.Lanes()
	if err != nil || r.Kind != control.KindHome || r.To != routing.Target.String() || l.Migration.Proxy != "" {
		return inexact, err
	}
	var accepted, topics []string
	for _, q := range r.Queues {
		if slices.Contains(r.Accept, q.Topic) {
			accepted = append(accepted, q.Topic)
		} else {
			topics = append(topics, q.Topic)
		}
	}
	refusals, err := g.trySends(ctx, g.sendTries(control.Distinct(topics)))
	switch {
	case len(refusals) > 0:
		return nil, control.Refused(
			"the target doesn't take what producers send: %s; grant it there, or accept the topics by "+
				"their names, and such sends are refused",
			strings.Join(refusals[:min(len(refusals), checks.MostRefused)], "; "),
		)
	case err != nil:
		return nil, fmt.Errorf("whether producers' sends are taken isn't known: %w", err)
	}
	taken, _ := g.trySends(ctx, g.sendTries(control.Distinct(accepted))) // what isn't known was accepted, too
	return append(inexact, taken...), nil
}

// tryGroup tries what members of a group do: their pulls, and answers to requests. It returns what
// becomes inexact where the caller accepts the group.
func (g *Gateway) tryGroup(
	ctx context.Context,
	group string,
	to routing.Side,
	accept []string,
) (inexact []string, err error) {
	if inexact, err = g.tryPulls(ctx, group, to, accept); err != nil || to == routing.Source {
		return inexact, err
	}
	if l, err := g.sides.Lanes(); err != nil || l.Migration.Proxy != "" { // a proxy passes no answers on
		return inexact, err
	}
	refusals, err := g.trySends(ctx, g.replyTries(group))
	switch {
	case len(refusals) > 0 && slices.Contains(accept, group):
		return append(inexact, refusals...), nil
	case len(refusals) > 0:
		return nil, control.Refused(
			"group %s: its members' answers to requests would be refused when the source is gone: %s; "+
				"grant it there, or accept the group by its name",
			group,
			strings.Join(refusals[:min(len(refusals), checks.MostRefused)], "; "),
		)
	case err != nil:
		return nil, fmt.Errorf("group %s: whether its members' answers to requests are taken isn't known: %w",
			group, err)
	}
	return inexact, nil
}

// triesOfOwn tries what clients behind this gateway do, for a round that another one leads.
func (g *Gateway) triesOfOwn(ctx context.Context, r store.Round, to routing.Side) (err error) {
	switch {
	case r.Kind == control.KindSide:
		_, err = g.tryGroup(ctx, r.Group, to, r.Accept)
	case r.Kind == control.KindHome && !r.WithoutTarget:
		_, err = g.takesAll(ctx, r)
	}
	return err
}
