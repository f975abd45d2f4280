package gateway

import (
	"bytes"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// A target whose brokers can't be reached is served through the remoting port of its 5.x proxy.
// Requests name their broker there, and what the proxy can't do is done in other ways, or not at
// all:
//
//   - It takes the end of a transaction only in answer to its own check: the first one is
//     acknowledged and ignored (TransactionActivity, 5.3.3). So half messages go to the source as
//     long as the target is reached through a proxy, and the lane brings what was committed.
//   - It checks sends against the topic's message type, which nothing that was written to a 4.x
//     topic needs to fit: a flag makes it take them.
//   - It lists a client once for each connection that brought a heartbeat: one is enough for all
//     brokers.

// behindProxy reports whether the target's brokers are reached through a proxy.
func (bs *bothSides) behindProxy() bool {
	m := bs.migration.Load()
	return m != nil && m.Proxy != ""
}

// nameBroker names the broker of a request to the target, which proxies want, and clients before
// 4.9.5 don't do.
func (u *upstream) nameBroker(f *wire.Frame) {
	if u.dest.Side == routing.Source || f.Response() || !u.session.gateway.sides.behindProxy() {
		return
	}
	f.Set(rocketmq.BrokerNameField(f.Code), u.dest.Broker)
	if sends(f.Code) {
		_, _, _, key := keysOf(f.Code)
		was := []byte(f.Unescaped(key))
		if with := rocketmq.WithTransferFlag(was); len(with) > len(was) {
			f.Extend(key, string(with[len(was):]))
		}
	}
}

// storesAt is the side on which a message for a queue is stored: at its home, but for half messages
// whose end the target wouldn't learn.
func (bs *bothSides) storesAt(home routing.Side, properties []byte) routing.Side {
	if home == routing.Target && bytes.Contains(properties, []byte("TRAN_MSG")) && bs.behindProxy() {
		return routing.Source
	}
	return home
}

// greeted are the target brokers that get clients' heartbeats: of those behind a proxy, the one
// that was known first.
func (bs *bothSides) greeted() []string {
	if all := *bs.targets.Load(); bs.behindProxy() && len(all) > 0 {
		return all[:1]
	}
	return bs.brokersOf(routing.Target)
}

// mayBeStored reports whether a message that a server answers it couldn't store may be stored yet:
// a proxy answers so when it lost the broker.
func (u *upstream) mayBeStored(f *wire.Frame) bool {
	return u.dest.Side == routing.Target && f.Code == remoting.SystemError && u.session.gateway.sides.behindProxy()
}
