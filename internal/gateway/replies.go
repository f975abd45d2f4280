package gateway

import (
	"bytes"
	"fmt"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// Who has got a request answers it with a message to the reply topic of the cluster that the
// request names (MessageUtil.createReplyMessage, 4.9.7), at any broker of it. That broker pushes
// the answer to the client that has asked, over the connection by which this one is registered as a
// producer (ReplyMessageProcessor), and says so if it has none. Clients behind gateways are
// registered on both sides; others on the one that they are connected to. So an answer goes to the
// source, and then to the target's brokers, until one has pushed it.

// reply is an answer of a client to a request, which goes to another broker if it must.
type reply struct {
	raw     []byte
	cost    int
	next    []string // brokers of the target that weren't tried yet
	refusal string   // what the source's broker has said
}

// notPushed begins what a broker says whose requester isn't connected to it, or doesn't answer it
// (ReplyMessageProcessor.pushReplyMessage, 4.6 to 5.3.3).
const notPushed = "push reply message "

// perReply is what an answer takes besides its bytes.
const perReply = 256

// sendReply brings an answer to a request to the source. Should nobody be there who has asked, or
// its broker be away, it goes to the target.
func (s *session) sendReply(f *wire.Frame) {
	var c call
	if next := s.repliesTo(); len(next) > 0 {
		if cost := len(f.Bytes()) + perReply; s.memory.Try(cost) {
			kept := &reply{raw: bytes.Clone(f.Bytes()), cost: cost, next: next}
			c = callOf(f)
			c.rare = &rareCall{reply: kept}
		}
	}
	if _, err := s.upstream(s.port.Dest); err != nil && c.rare != nil {
		c.rare.reply.refusal = fmt.Sprintf("rocketshift gateway: source broker %s: %v", s.port.broker, err)
		s.inBackground(func() { s.replyOnTarget(c) })
		return
	}
	key, _, _, _ := keysOf(f.Code)
	s.nameReplyTopic(f, key)
	s.forward(f, s.port.Dest, c)
}

// repliesTo are the brokers of the target whose cluster is known.
func (s *session) repliesTo() (all []string) {
	if s.gateway.sides.Migration.Load() == nil {
		return nil
	}
	for _, broker := range s.gateway.sides.BrokersOf(routing.Target) {
		if s.gateway.sides.Clusters[routing.Target].Of(broker) != "" {
			all = append(all, broker)
		}
	}
	return all
}

// nameReplyTopic gives a request that names the reply topic of the target that of the source.
// Clients may know it from messages of before, or from those that couldn't be changed.
func (s *session) nameReplyTopic(f *wire.Frame, key string) {
	if here := s.cluster(); here != "" && s.repliesThere(string(f.Text(key))) {
		f.Set(key, rocketmq.ReplyTopic(here))
	}
}

// triesTarget reports whether an answer that the broker hasn't pushed to anybody goes to another
// broker now.
func (u *upstream) triesTarget(f *wire.Frame, c call) bool {
	if f.Code != remoting.SystemError || !bytes.HasPrefix(f.Remark, []byte(notPushed)) {
		return false
	}
	r := c.rare.reply
	if u.dest.Side == routing.Source {
		says := f.RemarkText()
		r.refusal = says[:min(len(says), longestRemark)]
	}
	if len(r.next) == 0 {
		return false
	}
	u.session.inBackground(func() { u.session.replyOnTarget(c) })
	return true
}

// replyOnTarget brings an answer to the next broker of the target that can be reached.
func (s *session) replyOnTarget(c call) {
	r := c.rare.reply
	for len(r.next) > 0 {
		to := routing.Dest{Side: routing.Target, Broker: r.next[0]}
		r.next = r.next[1:]
		var f wire.Frame
		if f.Parse(r.raw) != nil || !s.signable(&f, routing.Target, true) {
			continue
		}
		up, err := s.upstream(to)
		if err != nil {
			continue
		}
		topicKey, queueKey, brokerKey, _ := keysOf(f.Code)
		f.Set(topicKey, rocketmq.ReplyTopic(s.gateway.sides.Clusters[routing.Target].Of(to.Broker)))
		f.SetNumber(queueKey, 0) // the only one that brokers make
		f.Set(brokerKey, to.Broker)
		if c.oneWay {
			f.SetFlag(f.Flag &^ wire.FlagOneWay)
		}
		c.up, c.side = up, routing.Target
		f.SetOpaque(s.enter(c))
		up.write(&f)
		return
	}
	s.forgotten(c)
	if !c.oneWay {
		s.reply(c.opaque, c.binary, wire.Reply{Code: remoting.SystemError, Remark: r.refusal})
	}
}

// tellReply gives an answer that a broker of the target pushes the names that clients know.
func (u *upstream) tellReply(f *wire.Frame) {
	if here := u.session.cluster(); here != "" {
		f.Replace("topic", rocketmq.ReplyTopic(here))
	}
	if at := u.session.port.address(); at.IsValid() {
		f.Replace("storeHost", at.String())
	}
}

// routeOfReplies asks for the route of the source's reply topic where the target's is asked for.
func (s *session) routeOfReplies(f *wire.Frame) {
	if !s.repliesThere(string(f.Text("topic"))) {
		return
	}
	for _, broker := range s.gateway.sides.BrokersOf(routing.Source) {
		if here := s.gateway.sides.Clusters[routing.Source].Of(broker); here != "" {
			f.Set("topic", rocketmq.ReplyTopic(here))
			return
		}
	}
}

// repliesThere reports whether a topic is the reply topic of the target, and not of the source.
func (s *session) repliesThere(topic string) bool {
	cluster, is := rocketmq.ReplyCluster(topic)
	return is && s.gateway.sides.Clusters[routing.Target].Has(cluster) &&
		!s.gateway.sides.Clusters[routing.Source].Has(cluster)
}
