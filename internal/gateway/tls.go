package gateway

import (
	"fmt"

	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
)

// dialers connect to the servers of both sides where they are reached, over TLS where that is asked
// for; nil: in plain text, as their addresses say.
func (c Config) dialers() (both [2]rocketmq.Dial, err error) {
	for on, t := range [2]connections.TLS{c.SourceTLS, c.TargetTLS} {
		known, err := t.Client(routing.Side(on).String(), func(err error) {
			c.Log.Warn("the authorities stay as they were", "side", routing.Side(on).String(), "cause", err)
		})
		if err != nil {
			return both, fmt.Errorf("gateway: TLS to the %s: %w", routing.Side(on), err)
		}
		if known != nil {
			both[on] = connections.DialerOf(*known)
		}
		if at := [2]rocketmq.Addresses{c.SourceAt, c.TargetAt}[on]; len(at) > 0 {
			both[on] = connections.ReachedAt(at, both[on])
		}
	}
	return both, nil
}
