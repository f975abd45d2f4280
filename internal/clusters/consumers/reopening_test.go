package consumers

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

func TestFencesThatStandOnReturnedBrokersAloneAreLeft(t *testing.T) {
	const open, shut = true, false
	for name, c := range map[string]struct {
		at    map[string]bool // whether the group is open, by broker
		mark  int64           // on broker-b, which has come back
		moves bool            // may be under way
		is    string          // left, unmarked or neither
	}{
		"open on the others":                 {map[string]bool{"broker-a": open, "broker-b": shut}, MarkFenced, true, "left"},
		"closed without a mark":              {map[string]bool{"broker-a": open, "broker-b": shut}, markNone, true, "unmarked"},
		"closed everywhere without a mark":   {map[string]bool{"broker-a": shut, "broker-b": shut}, markNone, false, ""},
		"fenced everywhere, as in a move":    {map[string]bool{"broker-a": shut, "broker-b": shut}, MarkFenced, true, ""},
		"fenced on some brokers, in a move":  {map[string]bool{"broker-a": open, "broker-b": shut, "broker-c": shut}, MarkFenced, true, ""},
		"fenced everywhere, on the way back": {map[string]bool{"broker-a": shut, "broker-b": shut}, MarkFenced, false, "left"},
		"on no other broker, in a move":      {map[string]bool{"broker-b": shut}, MarkFenced, true, ""},
		"open everywhere":                    {map[string]bool{"broker-a": open, "broker-b": open}, MarkFenced, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := Opening{
				Plan: plan.Plan{Name: "m"}.WithDefaults(), table: clusters.GroupTable{"g": {}},
				marks: Fences{"g": {"broker-b": c.mark}},
			}
			for broker, enabled := range c.at {
				o.table["g"][broker] = rocketmq.Group{Name: "g", ConsumeEnable: enabled}
			}
			calm := time.Duration(0)
			if c.moves {
				calm = 1
			}
			is := ""
			switch left, unmarked := o.Left([]string{"broker-b"}, calm); {
			case len(left) > 0:
				is = "left"
			case len(unmarked) > 0:
				is = "unmarked"
			}
			require.Equal(t, c.is, is)
		})
	}
}
