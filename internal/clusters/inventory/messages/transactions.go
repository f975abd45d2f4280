package messages

import (
	"strconv"

	"rocketshift/api"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
	"rocketshift/internal/printable"
	"rocketshift/plan"
)

// defaultMarks is transactionOpBatchInterval of 5.x brokers that don't tell it, in milliseconds.
const defaultMarks = 3000

// transactionFindings: 5.x marks finished transactions in batches. A broker that checks before the
// mark is written asks again, and delivers the message twice.
func transactionFindings(seen facts.Facts) (all []api.Finding) {
	var topics []string
	for _, topic := range seen.TopicNames {
		if seen.Samples[topic].Kinds[plan.TypeTransaction] || seen.Types[topic] == plan.TypeTransaction {
			topics = append(topics, topic)
		}
	}
	if len(topics) == 0 {
		return nil
	}
	for _, b := range seen.Target.Configured {
		after, err := strconv.ParseInt(b.Values["transactionTimeOut"], 10, 64)
		if err != nil {
			continue
		}
		marks, err := strconv.ParseInt(b.Values["transactionOpBatchInterval"], 10, 64)
		if err != nil {
			marks = defaultMarks
		}
		if after >= 2*marks {
			continue
		}
		all = append(all, findings.TransactionTimeout.Warning("target broker "+b.Name, "",
			"checks transactions after %d ms (transactionTimeOut), and marks finished ones every %d ms "+
				"(transactionOpBatchInterval)", after, marks).
			With(seen.At, "topics with transactions: %s", printable.Few(topics)))
	}
	return append(all, findings.Transactions.Advice("topics "+printable.Few(topics), "",
		"%d topics have messages of transactions", len(topics)))
}
