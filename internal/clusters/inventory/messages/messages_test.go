package messages

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

var at = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// clean is a source of which 5.x takes everything: one topic with plain messages, one delay level in
// use.
func clean() facts.Facts {
	return facts.Facts{
		At: at, Brokers: []rocketmq.Broker{{Name: "broker-a"}},
		Configured: []brokerconfig.Broker{
			{Name: "broker-a", Values: map[string]string{"messageDelayLevel": "1s 5s 2h"}},
		},
		TopicNames: []string{"orders"},
		Types:      map[string]plan.MessageType{"orders": plan.TypeNormal},
		Samples: map[string]metadata.Sample{"orders": {
			Looked: 3, Kinds: map[plan.MessageType]bool{plan.TypeNormal: true},
			Noted: metadata.Noted{
				Counts:   map[plan.MessageType]int{plan.TypeNormal: 3},
				Examples: map[plan.MessageType]string{plan.TypeNormal: "queue broker-a/0 offset 0"}, MostProps: 100,
			},
		}},
		Readers: map[string][]string{"orders": {"billing"}}, Orderly: map[string]bool{},
	}
}

func judged(seen facts.Facts, waiting ...pending) (all []api.Finding) {
	for _, topic := range seen.TopicNames {
		all = append(all, topicFindings(seen, topic)...)
	}
	return append(append(all, delayFindings(seen, waiting)...), transactionFindings(seen)...)
}

func TestNothingIsFoundInPlainMessages(t *testing.T) {
	assert.Empty(t, judged(clean()))
}

func TestFindingsOfMessages(t *testing.T) {
	with := func(change func(*facts.Facts, *metadata.Sample)) facts.Facts {
		seen := clean()
		sample := seen.Samples["orders"]
		change(&seen, &sample)
		seen.Samples["orders"] = sample
		return seen
	}
	kinds := func(all ...plan.MessageType) map[plan.MessageType]bool {
		out := map[plan.MessageType]bool{}
		for _, kind := range all {
			out[kind] = true
		}
		return out
	}
	existing := plan.Target{Provider: plan.ProviderExisting}
	for name, c := range map[string]struct {
		seen     facts.Facts
		waiting  []pending
		id       string
		severity api.Severity
		cause    string
	}{
		"several types": {
			seen: with(func(f *facts.Facts, s *metadata.Sample) {
				s.Kinds, f.Types["orders"] = kinds(plan.TypeNormal, plan.TypeDelay), plan.TypeMixed
			}), id: "types-mixed", severity: api.SeverityWarning, cause: "DELAY and NORMAL",
		},
		"client-go's key": {
			seen: with(func(_ *facts.Facts, s *metadata.Sample) { s.Noted.GoKeys = 2 }),
			id:   "order-without-key", severity: api.SeverityWarning, cause: "SHARDING_KEY of client-go",
		},
		"no key, read in order": {
			seen: with(func(f *facts.Facts, _ *metadata.Sample) { f.Orderly["billing"] = true }),
			id:   "order-without-key", severity: api.SeverityWarning, cause: "read in order",
		},
		"a FIFO topic behind a proxy refuses it": {
			seen: with(func(f *facts.Facts, s *metadata.Sample) {
				s.Noted.GoKeys, f.Types["orders"], f.Plan.Target.Proxy = 2, plan.TypeFIFO, "127.0.0.1:1"
			}), id: "order-without-key", severity: api.SeverityRefusal,
		},
		"no room for a stamp": {
			seen: with(func(_ *facts.Facts, s *metadata.Sample) { s.Noted.MostProps = 32_550 }),
			id:   "properties-too-long", severity: api.SeverityRefusal, cause: "32550",
		},
		"a timer of 40 days": {
			seen: with(func(_ *facts.Facts, s *metadata.Sample) { s.Noted.LongestTimer = 960 * time.Hour }),
			id:   "delay-beyond-limit", severity: api.SeverityRefusal, cause: "960h0m0s",
		},
		"a level beyond the target's, in use": {
			seen: with(func(f *facts.Facts, _ *metadata.Sample) {
				f.Plan.Target = existing
				f.Target.Configured = []brokerconfig.Broker{{Name: "t", Values: map[string]string{"messageDelayLevel": "1s 1h"}}}
			}), waiting: []pending{{"broker-a", 3, 7}}, id: "delay-beyond-limit", severity: api.SeverityRefusal, cause: "2h0m0s",
		},
		"a level beyond the plan's limit that nobody uses": {
			seen: with(func(f *facts.Facts, _ *metadata.Sample) { f.Plan.Target.MaxDelay = plan.Duration(time.Hour) }),
			id:   "delay-beyond-limit", severity: api.SeverityWarning, cause: "nothing seen uses them",
		},
		"messages wait": {
			seen: clean(), waiting: []pending{{"broker-a", 3, 7}}, id: "delays-pending", severity: api.SeverityAdvice,
			cause: "7 messages wait to be delivered later, the last of them in up to 2h0m0s",
		},
		"a target that checks too soon": {
			seen: with(func(f *facts.Facts, s *metadata.Sample) {
				s.Kinds = kinds(plan.TypeTransaction)
				f.Target.Configured = []brokerconfig.Broker{{Name: "t", Values: map[string]string{"transactionTimeOut": "3000"}}}
			}), id: "transaction-timeout", severity: api.SeverityWarning, cause: "after 3000 ms",
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := judged(c.seen, c.waiting...)
			for _, f := range found {
				if f.ID == c.id {
					assert.Equal(t, c.severity, f.Level(), "%+v", f)
					assert.Contains(t, f.Cause, c.cause)
					assert.NotEmpty(t, f.Next)
					return
				}
			}
			require.Fail(t, "not found", "wanted %s, got %+v", c.id, found)
		})
	}
}

func TestATargetAtItsDefaultsChecksLateEnough(t *testing.T) {
	seen := clean()
	seen.Types["orders"] = plan.TypeTransaction
	seen.Target.Configured = []brokerconfig.Broker{{Name: "t", Values: map[string]string{
		"transactionTimeOut": "6000", "transactionOpBatchInterval": "3000",
	}}}
	found := judged(seen)
	require.Len(t, found, 1)
	assert.Equal(t, "transactions", found[0].ID)
}
