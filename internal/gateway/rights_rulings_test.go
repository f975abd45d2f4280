package gateway

import (
	"strings"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/gateway/routing"
)

// Requests that 4.9.7 and 5.3.3 judge differently, with the accounts to which only one of them
// gives what they ask for. 4.9.7 gives most of what it has to everybody with a key. For the ends of
// queues, and more, 5.3.3 wants the action Get, which its own migration of accounts gives to
// nobody; and it has no rights for some settings.
var (
	anybody     = "full gets pub sub group reads guest nothing not-in-keys"
	withoutGet  = "full pub sub group reads guest nothing not-in-keys"
	withoutSub  = "pub sub group nothing" // on topic and group
	withoutPub  = "sub group reads guest nothing"
	sourceGives = map[string]string{
		"reset position": anybody, "user of ACL 2.0": anybody, "clone positions": anybody,
		"max offset": withoutGet, "min offset": withoutGet, "search offset": withoutGet,
		"earliest time": withoutGet, "topic stats": withoutGet, "consume stats": withoutGet,
		"consumer connections": withoutGet, "running info": withoutGet,
		"query position": withoutSub, "pop": withoutSub, "ack": withoutSub,
		"change invisible time": withoutSub, "peek": withoutSub, "lock": withoutSub, "unlock": withoutSub,
		"unlock one-way": withoutSub,
		"send batch":     withoutPub, "send batch one-way": withoutPub,
	}
	targetGives = map[string]string{"make group": anybody, "broker settings": anybody}
)

// differ wants the brokers to differ as is known.
func (m *matrix) differ() {
	m.Helper()
	here, there := map[string]string{}, map[string]string{}
	for _, q := range allAsked() {
		ofTarget := strings.Replace(q.name, " of the source", " of the target", 1)
		for _, a := range accounts {
			is, known := m.rulings[question{a.name, q.name, routing.Source}]
			other := m.rulings[question{a.name, ofTarget, routing.Target}]
			switch {
			case !known || is.refused == other.refused:
			case other.refused:
				here[q.name] = strings.TrimSpace(here[q.name] + " " + a.name)
			default:
				there[q.name] = strings.TrimSpace(there[q.name] + " " + a.name)
			}
		}
	}
	assert.Equal(m, sourceGives, here, "what the source's broker alone gives")
	assert.Equal(m, targetGives, there, "what the target's broker alone gives")
}
