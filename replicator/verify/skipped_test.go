package verify

import (
	"testing"

	"rocketshift/replicator/lane"
)

// Before, a skip of the topic before a restart excused what is missing of the topic after it.
func TestASkipOfTheTopicBeforeARestartExcusesNothing(t *testing.T) {
	old := lane.Answer{Side: "", Topic: "orders", Broker: "broker-a", Queue: 1, Action: lane.Skip, From: 42, To: 43}
	anew := lane.Answer{Topic: old.Topic, Broker: old.Broker, Queue: old.Queue, Action: lane.Restart}
	v := &verification{
		Report:  Report{Topic: old.Topic, Source: lane.Queue{Broker: "broker-a", ID: 1}, From: 0, To: 100, Missing: 1},
		missing: []lane.Span{{From: 42, To: 43}}, answers: []lane.Answer{old, anew},
	}
	if v.leaveOutSkipped(); v.Skipped != 0 || v.Missing != 1 {
		t.Errorf("%d skipped, %d missing, wanted none and one", v.Skipped, v.Missing)
	}
}
