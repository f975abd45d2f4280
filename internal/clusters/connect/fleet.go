package connect

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/secrets"
	"rocketshift/plan"
)

// Fleet are the control APIs of the plan's gateways.
func (o Opener) Fleet(p plan.Plan) (*control.Fleet, error) {
	if len(p.Traffic.Gateways) == 0 {
		return nil, fault.Invalid("traffic.gateways is empty: name the control APIs of the gateways")
	}
	has, err := o.Secrets.Gateways(p.Traffic)
	if err != nil {
		return nil, fault.Denial(err)
	}
	key := has.Prefix + "|" + strings.Join(p.Traffic.Gateways, ",")
	o.Pool.mu.Lock()
	defer o.Pool.mu.Unlock()
	if o.Pool.fleets[key] == nil {
		o.Pool.fleets[key] = control.NewFleet(p.Traffic.Gateways, control.Access{
			Token: has.Token, CA: has.CA, Cert: has.Cert, Key: has.Key, Plain: has.Plain,
			Set: control.AccessSettings{
				Token: has.Prefix + "_TOKEN", CA: has.Prefix + "_CA",
				Cert: has.Prefix + "_CERT", Plain: secrets.Variable,
			},
		})
	}
	return o.Pool.fleets[key], nil
}

// ExplainGateway turns what a call to a gateway failed with into an error that says what people can
// do.
func ExplainGateway(ctx context.Context, err error) error {
	var refusal *control.RefusedError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &refusal) && refusal.Status == http.StatusUnauthorized:
		return fault.AccessDenied(err, "%v: give the worker the token that the gateway has", err)
	}
	return fault.NotReady("%v", err)
}

// GatewayState is how the plan's gateways stand; a zero one if it has none.
func (o Opener) GatewayState(ctx context.Context, p plan.Plan) (control.State, error) {
	if p.Traffic.Mode != plan.ModeGateway {
		return control.State{}, nil
	}
	client, err := o.Fleet(p)
	if err != nil {
		return control.State{}, err
	}
	state, err := client.State(ctx)
	return state, ExplainGateway(ctx, err)
}
