package gateway

import (
	"fmt"
	"time"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/sleep"
)

// A request that the gateway changes, or that goes to the target under other keys, needs a new
// signature, and for that the gateway is given the secrets of applications in a file. With them it
// verifies the clients' own (credentials.go).

// keysAgain is how often the file is looked at: an application that was added may go on soon.
const keysAgain = 2 * time.Second

func (ss *sessions) readKeysAgain() {
	said := ""
	for sleep.For(ss.ctx, keysAgain) == nil {
		changed, err := ss.keys.Read()
		for _, s := range ss.registry.all() { // clients say who they are every 30 s only
			s.mu.Lock()
			identity, beat, again := s.identity, s.beat, changed || len(s.unwelcome) > 0
			s.mu.Unlock()
			if again {
				ss.registry.mirrors.beat(s, identity, beat)
			}
		}
		if err == nil {
			said = ""
		} else if said != err.Error() {
			said = err.Error()
			ss.log.Warn("the keys stay as they were", "cause", err)
		}
	}
}

// heard takes note of what a broker said to a client's heartbeat that the gateway has sent.
func (s *session) heard(from routing.Dest, f *wire.Frame) {
	if from.Side == routing.Source {
		if f.Code != remoting.Success {
			s.mayNotReturn(f)
		}
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Code == remoting.Success {
		delete(s.unwelcome, from.Broker)
		return
	}
	if s.unwelcome == nil {
		s.unwelcome = map[string]string{}
	}
	s.unwelcome[from.Broker] = fmt.Sprintf("target broker %s answers its heartbeat with code %d: %.200s",
		from.Broker, f.Code, f.Remark)
}

// problem is why a client can't be served once something is on the target; "" if it can. Callers
// hold s.mu.
func (s *session) problem() string {
	if _, known := s.gateway.keys.Of([]byte(s.accessKey)); !known {
		switch {
		case s.accessKey != "":
			return "signs with access key " + s.accessKey + ", of which the gateway has no secret: add it to " +
				"the file of --keys"
		case s.gateway.keys.Given():
			return "doesn't sign, and the file of --keys has no unsigned, by which it could be signed for on " +
				"the target: add that, or have it sign"
		}
	}
	for _, broker := range routing.SortedKeys(s.unwelcome) {
		return s.unwelcome[broker]
	}
	return ""
}
