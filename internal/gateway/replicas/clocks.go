package replicas

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rocketshift/internal/gateway/routing"
)

// Whether a message is new, and whether this gateway could have sent it, is told by when its broker
// stored it, by that broker's clock. So it must be known how far that one is off: else messages of
// a broker whose clock is late would all look too old to be judged.

// clocks are how far brokers' clocks are off.
type clocks struct {
	mu sync.Mutex
	of map[routing.Dest]brokerClock
}

type brokerClock struct {
	ahead  time.Duration // of this process's; negative if it is late
	looked time.Time
}

// clockLife is for how long a difference is believed: clocks are set now and then.
const clockLife = 30 * time.Second

// Ahead is how far a broker's clock is ahead of this process's, to about a second.
func (c *clocks) Ahead(ctx context.Context, l Lanes, of routing.Dest) (time.Duration, error) {
	c.mu.Lock()
	known, there := c.of[of]
	c.mu.Unlock()
	if there && time.Since(known.looked) < clockLife {
		return known.ahead, nil
	}
	broker, err := l.Clusters[of.Side].Broker(ctx, of.Broker)
	if err != nil {
		return 0, fmt.Errorf("the time of %s broker %s isn't known: %w", of.Side, of.Broker, err)
	}
	asked := time.Now()
	is, err := l.Clusters[of.Side].Client().Clock(ctx, broker.Addr)
	if err != nil {
		return 0, fmt.Errorf("the time of %s broker %s isn't known: %w", of.Side, of.Broker, err)
	}
	now := brokerClock{is.Sub(asked.Add(time.Since(asked) / 2)), time.Now()}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[routing.Dest]brokerClock{}
	}
	c.of[of] = now
	return now.ahead, nil
}
