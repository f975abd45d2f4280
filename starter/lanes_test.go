package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/replicator/lane"
	"rocketshift/starter/remote"
)

// replicating is a Replicate whose lanes of two brokers have told how far they are.
func replicating() remote.Snapshot {
	s := running()
	s.WorkflowID = "migration-orders-replicate"
	fault := lane.Fault{
		Topic: "orders", Broker: "broker-b", Queue: 2, Type: lane.TargetRefused, From: 41, To: 42,
		Cause: "the message is illegal", Next: "Look at it",
	}
	s.Replication = []api.ReplicationProgress{
		{Broker: "broker-a", Progress: lane.Progress{Topics: []lane.TopicProgress{
			{Topic: "orders", Lanes: 4, CaughtUp: 4, Copied: 1000},
			{
				Topic:     "payments",
				Lanes:     4,
				CaughtUp:  1,
				Lag:       30_000,
				Copied:    10,
				PerSecond: 1000,
				Reason:    "the rate of all topics: 2000 messages a second",
			},
		}, Back: &lane.Progress{Waiting: "target broker z is busy", Topics: []lane.TopicProgress{{Topic: "payments", Lanes: 4, Lag: 77}}}}},
		{Broker: "broker-b", Unpaired: []string{"topic audit: the target has none"}, Progress: lane.Progress{
			Faults: []lane.Fault{fault},
			Stragglers: []lane.Straggler{{
				Side: "source", Topic: "orders", Broker: "broker-b", Queue: 2, Sender: "10.0.0.7:4711",
				Messages: 12, PerSecond: 1.25, Last: time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC),
			}},
			Topics: []lane.TopicProgress{
				{Topic: "orders", Lanes: 4, CaughtUp: 3, Lag: 5, Copied: 2000, Faults: 1, Reason: fault.Error()},
			},
		}},
	}
	return s
}

func TestLanesShowsTopicsWorstFirstAndWhatToDo(t *testing.T) {
	f := &fake{looks: []look{{snapshot: replicating()}}}
	o := rocketshift(t, f, "lanes", "orders")
	require.Equal(t, failure.Done, o.code, o.stderr)
	require.Equal(t, []string{"migration-orders-replicate"}, f.asked)
	assert.Regexp(t, `(?s)orders +│ +8 │ +7 │ +5 .*payments +│ +4 │ +1 │ 30,000 │ .* 1,000 │ +30s`, o.stdout)
	assert.Contains(t, o.stdout, "fault: TargetRefused: topic orders, source queue broker-b/2, offsets 41 to 42")
	assert.Regexp(t, `(?s)back to the source:.*payments +│ +4 │ +0 │ +77 .*waiting: target broker z is busy`, o.stdout)
	assert.Contains(t, o.stdout,
		"straggler: 10.0.0.7:4711 writes to topic orders, source queue broker-b/2: 12 messages, 1.2 a "+
			"second, the last at 2026-08-01 12:00:00")
	assert.Contains(t, o.stdout, "no lanes: topic audit: the target has none")
	assert.Contains(t, o.stdout,
		"next: rocketshift answer orders --topic 'orders' --broker broker-b --queue 2 --action retry|skip "+
			"--from 41 --to 42")
}

func TestLanesAsJSONAddsUpTheBrokers(t *testing.T) {
	f := &fake{looks: []look{{snapshot: replicating()}}}
	o := rocketshift(t, f, "lanes", "orders", "-o", "json")
	require.Equal(t, failure.Done, o.code, o.stderr)
	topics := o.document(t)["topics"].([]any)
	require.Len(t, topics, 2)
	first := topics[0].(map[string]any)
	assert.Equal(t, "orders", first["topic"])
	assert.Equal(t, 3000.0, first["copied"])
	assert.Equal(t, 8.0, first["lanes"])
}

func TestLanesOfAMigrationThatHasEnded(t *testing.T) {
	s := replicating()
	s.Running = false
	o := rocketshift(t, &fake{looks: []look{{snapshot: s}}}, "lanes", "orders")
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "no lane runs")
}

func TestAnswerAndRateGoToTheReplicateOfTheMigration(t *testing.T) {
	f := &fake{}
	o := rocketshift(t, f, "answer", "orders", "--topic", "orders", "--broker", "broker-b", "--queue", "2",
		"--action", "skip", "--from", "41", "--to", "42", "--by", "alice", "--reason", "a test message")
	require.Equal(t, failure.Done, o.code, o.stderr)
	o = rocketshift(t, f, "rate", "orders", "--messages", "500", "--by", "bob")
	require.Equal(t, failure.Done, o.code, o.stderr)
	require.Len(t, f.updates, 2)
	assert.Equal(t, "migration-orders-replicate", f.updates[0].id)
	assert.Equal(t, api.LaneAnswer{
		Answer: lane.Answer{Topic: "orders", Broker: "broker-b", Queue: 2, Action: lane.Skip, From: 41, To: 42},
		By:     "alice", Reason: "a test message",
	}, f.updates[0].message)
	assert.Equal(t, api.RateChange{Rate: lane.Rate{Messages: 500}, By: "bob"}, f.updates[1].message)
}

func TestAnswersThatCantBeMeantAreRefusedBeforeAnybodyIsAsked(t *testing.T) {
	f := &fake{}
	for want, args := range map[string][]string{
		"nobody is named":           {"answer", "orders", "--topic", "t", "--broker", "b", "--queue", "0", "--action", "retry"},
		"names no queue":            {"answer", "orders", "--by", "alice", "--action", "retry"},
		"unknown action":            {"answer", "orders", "--topic", "t", "--broker", "b", "--queue", "0", "--action", "drop", "--by", "alice"},
		"messages are given up, or": {"answer", "orders", "--topic", "t", "--broker", "b", "--queue", "0", "--action", "skip", "--from", "1", "--to", "2", "--by", "alice"},
		"neither can be negative":   {"rate", "orders", "--bytes", "-5", "--by", "alice"},
	} {
		o := rocketshift(t, f, args...)
		assert.Equal(t, failure.BadUsage, o.code, want)
		assert.Contains(t, o.stderr, want)
	}
	assert.Empty(t, f.updates)
}

func TestTheNextStepOfAFaultIsAnAnswerThatFitsIt(t *testing.T) {
	anew, refused := lane.Fault{
		Type: lane.SourceReset,
		From: 7,
		To:   3,
	}, lane.Fault{
		Type: lane.TargetRefused,
		From: 4,
		To:   5,
	}
	assert.Equal(t, "retry|restart", actionsFor(anew, false))
	assert.Equal(t, "retry|restart", actionsFor(anew, true))
	anew.Side = lane.SideTarget
	assert.Equal(t, "retry|skip --from 7 --to 8", actionsFor(anew, true),
		"of a target that was made anew, lanes that go both ways refuse it")
	anew.Type = lane.TargetTruncated
	assert.Equal(t, "retry|restart", actionsFor(anew, true))
	assert.Equal(t, "retry|skip --from 4 --to 5", actionsFor(refused, false))
}
