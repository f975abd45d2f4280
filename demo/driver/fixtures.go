package driver

// topic is a topic of the demo with its producers.
type topic struct {
	name      string
	producers []string
	ordered   bool // each key of a producer has its queue, and its order counts
}

// group is a consumer group of the demo with its one member.
type group struct {
	name    string
	topics  []string
	orderly bool
	slow    bool // its work takes so long that it has a lag when it moves
}

const (
	sourceVersion = "4.9.7"
	sourceBrokers = 2
	// queuesPerBroker is the queue count of a topic on each source broker.
	queuesPerBroker = 4
	queues          = sourceBrokers * queuesPerBroker
	// proofTopic is read through the 5.x proxy at the end, by a group of its own.
	proofTopic = "audit"
	proofGroup = "demo-proof"
)

// topics and groups are what the demo migrates: order that counts, order that doesn't, several
// readers of a topic, and a slow group that reads two topics, which the migration may move in
// different steps.
func topics() []topic {
	return []topic{
		{name: "orders", producers: []string{"orders-1", "orders-2"}, ordered: true},
		{name: "payments", producers: []string{"payments-1", "payments-2"}},
		{name: "audit", producers: []string{"audit-1", "audit-2"}},
	}
}

// producerCount counts the producers of all topics.
func producerCount() (n int) {
	for _, t := range topics() {
		n += len(t.producers)
	}
	return n
}

func groups() []group {
	return []group{
		{name: "fulfilment", topics: []string{"orders"}, orderly: true},
		{name: "billing", topics: []string{"payments"}},
		{name: "archive", topics: []string{"audit"}},
		{name: "reporting", topics: []string{"payments", "audit"}, slow: true},
	}
}

// names are those of all groups and topics.
func names() (ofGroups, ofTopics []string) {
	for _, g := range groups() {
		ofGroups = append(ofGroups, g.name)
	}
	for _, t := range topics() {
		ofTopics = append(ofTopics, t.name)
	}
	return ofGroups, ofTopics
}

func orderedTopics() []string {
	var names []string
	for _, t := range topics() {
		if t.ordered {
			names = append(names, t.name)
		}
	}
	return names
}
