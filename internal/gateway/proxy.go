package gateway

import (
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

// nameBroker names the broker of a request to the target, which proxies want, and clients before
// 4.9.5 don't do.
func (u *upstream) nameBroker(f *wire.Frame) {
	if u.dest.Side == routing.Source || f.Response() || !u.session.gateway.sides.BehindProxy() {
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

// mayBeStored reports whether a message that a server answers it couldn't store may be stored yet:
// a proxy answers so when it lost the broker.
func (u *upstream) mayBeStored(f *wire.Frame) bool {
	return u.dest.Side == routing.Target && f.Code == remoting.SystemError && u.session.gateway.sides.BehindProxy()
}
