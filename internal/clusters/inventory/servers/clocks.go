package servers

import (
	"context"
	"fmt"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// mostSkew is how far clocks may be apart without a word: brokers tell whole seconds, and NTP keeps
// clocks within far less.
const mostSkew = 5 * time.Second

// clock is how far a broker's clock is ahead of this machine's: at least and at most.
type clock struct {
	known       bool
	least, most time.Duration
}

// clockOf asks a broker for its time. Those that don't tell it have none.
func clockOf(ctx context.Context, c *clusters.One, b rocketmq.Broker) (clock, error) {
	before := time.Now()
	told, err := c.Client().Clock(ctx, b.Addr)
	after := time.Now()
	if err != nil {
		if remoting.Unreachable(err) {
			return clock{}, err
		}
		return clock{}, nil // it tells no time
	}
	return clock{known: true, least: told.Sub(after), most: told.Add(time.Second).Sub(before)}, nil
}

// off is by how much a clock differs at least; 0 if it may be right.
func (c clock) off() time.Duration {
	switch {
	case !c.known:
		return 0
	case c.least > 0:
		return c.least
	case c.most < 0:
		return c.most
	}
	return 0
}

// apart is by how much two clocks differ at least.
func apart(a, b clock) time.Duration {
	if !a.known || !b.known {
		return 0
	}
	return max(0, a.least-b.most, b.least-a.most)
}

// skewed tells of clocks that differ from this machine's, and of the two that are furthest apart.
func skewed(source, target []broker, seen facts.Facts) (all []api.Finding) {
	both := append(append([]broker{}, source...), target...)
	for _, b := range both {
		if off := b.clock.off(); off.Abs() > mostSkew {
			all = append(all, findings.ClockSkew.Warning(fmt.Sprintf("%s broker %s", b.side, b.Name), "",
				"its clock is %s that of this machine", direction(off)).
				With(seen.At, "between %s and %s ahead", b.clock.least.Round(time.Second), b.clock.most.Round(time.Second)),
			)
		}
	}
	var widest time.Duration
	var a, z broker
	for i, one := range both {
		for _, other := range both[i+1:] {
			if d := apart(one.clock, other.clock); d > widest {
				widest, a, z = d, one, other
			}
		}
	}
	if widest > mostSkew {
		all = append(all, findings.ClockSkew.Warning("clocks", "",
			"those of %s broker %s and of %s broker %s differ by at least %s", a.side, a.Name, z.side, z.Name,
			widest.Round(time.Second)))
	}
	return all
}

func direction(off time.Duration) string {
	if off > 0 {
		return fmt.Sprintf("at least %s ahead of", off.Round(time.Second))
	}
	return fmt.Sprintf("at least %s behind", (-off).Round(time.Second))
}
