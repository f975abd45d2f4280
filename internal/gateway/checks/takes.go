package checks

import (
	"fmt"
	"slices"
	"strings"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

// What brokers take depends on how they are configured, and who sends what no request tells but the
// sends themselves. So the gateway notes what brokers have taken of each topic, and homes move only
// to brokers that take the same.

// TakesSends refuses to move homes to brokers of the target that don't take what is sent to the
// queues, or of which that isn't known. It returns what becomes inexact where the caller accepts
// the topic, and by a proxy, whose brokers never say.
func (ck *Checks) TakesSends(r store.Round) (inexact []string, err error) {
	if r.Kind != control.KindHome || r.To != routing.Target.String() {
		return nil, nil
	}
	var refusals, unknown []string
	for _, name := range r.Queues {
		t := ck.table.Topics.Get([]byte(name.Topic))
		if t == nil {
			continue // which is said where it matters
		}
		q := t.Queue([]byte(name.Broker), int64(name.ID))
		if q == nil || q.Lane() == nil {
			continue
		}
		broker := q.Lane().Target.Broker
		if ck.sides.BehindProxy() {
			inexact = append(inexact, "what target broker "+broker+" takes of what producers send isn't known: "+
				"it is behind a proxy, which doesn't say")
			continue
		}
		known, cause, line := ck.sides.Takes(broker, q.Kinds, ck.sides.LimitsOfSource(name.Broker))
		says := fmt.Sprintf("topic %s: target broker %s %s", t.Name, broker, cause)
		switch {
		case cause == "":
		case slices.Contains(r.Accept, t.Name):
			inexact = append(inexact, says)
		case known:
			refusals = append(refusals, says+": write "+line+" into its configuration and start it again")
		default:
			unknown = append(unknown, says)
		}
	}
	if refusals = control.Distinct(refusals); len(refusals) > 0 {
		return nil, control.Refused(
			"the target doesn't take what producers send: %s; or accept the topics by their names, "+
				"and such sends are refused there",
			strings.Join(refusals[:min(len(refusals), MostRefused)], "; "))
	}
	if unknown = control.Distinct(unknown); len(unknown) > 0 {
		return nil, control.Refused(
			"it isn't known whether the target takes what producers send: %s; let the gateway's account ask it "+
				"(GET_BROKER_CONFIG); or accept the topics by their names, and what it doesn't take is refused there",
			strings.Join(unknown[:min(len(unknown), MostRefused)], "; "))
	}
	return control.Distinct(inexact), nil
}
