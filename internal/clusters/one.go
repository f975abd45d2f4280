package clusters

import (
	"context"
	"errors"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// One is one side, open.
type One struct {
	*rocketmq.Cluster
	Side api.Side
}

// Explain turns what a call to this side failed with into an error that says what people can do,
// and whether it is tried again.
func (c *One) Explain(ctx context.Context, err error) error {
	var known *fault.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &known):
		return err
	case remoting.Denied(err): // nobody here pulls for an application's group
		return fault.Of(
			c.Side,
			fault.AccessDenied(
				err,
				"the %s refuses the credentials: %v: correct the keys, or grant what the call needs; "+
					"rocketshift goes on by itself",
				c.Side,
				err,
			),
		)
	case remoting.Unreachable(err):
		return fault.Unreachable(
			c.Side,
			err,
			"the %s at %s doesn't answer: %v: start it or make it reachable (%s.addresses, if a broker "+
				"advertises an address that doesn't lead there from here), rocketshift goes on by itself",
			c.Side,
			strings.Join(c.NameServers(), ", "),
			err,
			c.Side,
		)
	default:
		return fault.Of(c.Side, fault.Again(fault.KindCallFailed, fault.PollAgain, err, "%s: %v", c.Side, err))
	}
}
