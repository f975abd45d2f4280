package gateway

import (
	"context"
	"fmt"
	"strings"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// asker asks brokers in a client's name: with the client's own rights, whatever the gateway itself
// may do.
type asker struct {
	session   *session
	accessKey string // that the client signs with; "" if it doesn't
	code      int
}

// brokersAnswer is what a broker says to what was asked in a client's name. As an error it is a
// refusal.
type brokersAnswer struct {
	code   int
	remark string
	body   []byte
}

func (a *brokersAnswer) Error() string { return fmt.Sprintf("code %d: %s", a.code, a.remark) }

// firstLine is what the broker says, without the trace that some append.
func (a *brokersAnswer) firstLine() string {
	says, _, _ := strings.Cut(a.remark, "\n")
	return says
}

// ask sends a request without fields, see askWith.
func (a asker) ask(ctx context.Context, to routing.Dest, body []byte) ([]byte, error) {
	return a.askWith(ctx, to, nil, body)
}

// askWith sends a request and waits for the answer's body. Fields are names, each with its value
// behind it. Errors: *brokersAnswer for any other answer than success.
func (a asker) askWith(ctx context.Context, to routing.Dest, fields []string, body []byte) ([]byte, error) {
	s := a.session
	up, err := s.upstream(to)
	if err != nil {
		return nil, fmt.Errorf("%s broker %s: %w", to.Side, to.Broker, err)
	}
	if a.accessKey != "" {
		fields = append(fields, wire.FieldAccessKey, a.accessKey)
	}
	answers := make(chan brokersAnswer, 1)
	own := s.enter(call{code: a.code, up: up, side: to.Side, pushed: true, rare: &rareCall{answers: answers}})
	var f wire.Frame
	if err := f.Parse(wire.AppendRequest(nil, a.code, own, 0, fields, body)); err != nil {
		return nil, err
	}
	if a.accessKey != "" { // a change, though to the same: what is changed is signed, on both sides
		f.Set(wire.FieldAccessKey, a.accessKey)
	}
	up.write(&f)
	select {
	case got := <-answers:
		if got.code != remoting.Success {
			return nil, fmt.Errorf("%s broker %s: %w", to.Side, to.Broker, &got)
		}
		return got.body, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%s broker %s gives no answer: %w", to.Side, to.Broker, ctx.Err())
	}
}
