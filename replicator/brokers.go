package replicator

import (
	"context"
	"fmt"
	"time"

	"rocketshift/replicator/replica"
	"rocketshift/replicator/throttle"
)

// batches is what a broker takes, but no longer batches than the options allow. Each broker is
// asked once.
func (m *maintenance) batches(ctx context.Context, broker string) (replica.Batches, error) {
	m.mu.Lock()
	limit, known := m.limits[broker]
	m.mu.Unlock()
	if !known {
		var err error
		if limit, err = m.target.Takes(ctx, broker); err != nil {
			return replica.Batches{}, err
		}
		runtime, _ := m.target.Runtime(ctx, broker) // proxies don't tell, and some users may not ask
		m.mu.Lock()
		m.limits[broker] = limit
		m.mu.Unlock()
		m.lookAtBoot(broker, runtime, nil)
	}
	if limit.Bytes == 0 || m.options.BatchBytes < limit.Bytes {
		limit.Bytes = m.options.BatchBytes
	}
	return limit, nil
}

// sendAlone makes all lanes send each message alone to a broker.
func (m *maintenance) sendAlone(broker string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	limit := m.limits[broker]
	limit.None = true
	m.limits[broker] = limit
}

// lookAtBoot has all lanes of a target broker read the ends of their queues again when the broker
// has opened its store anew. A slave that takes over, or a broker that comes back after a loss, may
// lack the last copies, and grants locks as if nothing had happened.
func (m *maintenance) lookAtBoot(broker string, runtime map[string]string, lanes []*laneWorker) {
	boot := runtime["bootTimestamp"]
	if boot == "" {
		return
	}
	m.mu.Lock()
	before := m.boots[broker]
	m.boots[broker] = boot
	m.mu.Unlock()
	if before == "" || before == boot {
		return
	}
	for _, l := range lanes {
		l.state.change(func(s *laneState) { s.lock.doubted = true })
		l.state.rouse()
	}
}

// lookAtHealth asks a broker for its runtime statistics, and returns them. Without an answer, only
// refusals show that the broker is busy.
func (m *maintenance) lookAtHealth(of throttle.Broker, reads bool) (runtime map[string]string) {
	asking, cancel := context.WithTimeout(m.ctx, m.timing.finish)
	defer cancel()
	runtime, err := of.Side.Runtime(asking, of.Name)
	if m.ctx.Err() != nil {
		return nil
	}
	if reason := throttle.Strained(runtime, reads); err == nil && reason != "" {
		m.health.Trouble(of, fmt.Sprintf("broker %s %s", of.Name, reason), time.Now())
		return runtime
	}
	m.health.Healthy(of)
	return runtime
}
