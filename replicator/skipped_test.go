package replicator

import "testing"

// Before, a skip of the topic before a restart excused what is missing of the topic after it.
func TestASkipOfTheTopicBeforeARestartExcusesNothing(t *testing.T) {
	old := Answer{"", "orders", "broker-a", 1, Skip, 42, 43}
	anew := Answer{Topic: old.Topic, Broker: old.Broker, Queue: old.Queue, Action: Restart}
	v := &verification{
		LaneReport: LaneReport{Topic: old.Topic, Source: Queue{"broker-a", 1}, From: 0, To: 100, Missing: 1},
		missing:    []Span{{42, 43}}, answers: []Answer{old, anew},
	}
	if v.leaveOutSkipped(); v.Skipped != 0 || v.Missing != 1 {
		t.Errorf("%d skipped, %d missing, wanted none and one", v.Skipped, v.Missing)
	}
}
