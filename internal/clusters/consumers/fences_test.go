package consumers

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

// marked are the positions of the fences' consumer group with one mark.
func marked(group, broker string, mark int64) clusters.Committed {
	return clusters.Committed{rocketmq.RetryTopic(group): {lane.Queue{Broker: broker}: mark}}
}

func TestOnlyWhatCarriesTheMarkIsAFenceOfOurs(t *testing.T) {
	closed, open := rocketmq.Group{}, rocketmq.Group{ConsumeEnable: true}
	table := clusters.GroupTable{
		"ours": {"a": closed, "b": open}, "theirs": {"a": closed}, "back": {"a": open},
		"free": {"a": open},
		// closed by a person on b, by us on a, and open there again
		"reopened": {"a": open, "b": closed},
	}
	marks := marksIn(clusters.Committed{
		rocketmq.RetryTopic("ours"):     {lane.Queue{Broker: "a"}: MarkFenced},
		rocketmq.RetryTopic("back"):     {lane.Queue{Broker: "a"}: markOpened},
		rocketmq.RetryTopic("reopened"): {lane.Queue{Broker: "a"}: markOpened},
		rocketmq.RetryTopic("free"):     {lane.Queue{Broker: "a"}: markNone},
	})
	p := plan.Plan{}.WithDefaults()
	fenced, opened, others := marks.Whose(p, table, []string{"theirs"})
	assert.Equal(t, []string{"ours"}, fenced)
	assert.Equal(t, []string{"back", "reopened"}, opened)
	assert.Equal(t, []string{"theirs"}, others)
}

func TestFencesOfAnOlderReleaseAreKnownByTheRecord(t *testing.T) {
	closed := rocketmq.Group{}
	table := clusters.GroupTable{"moved": {"a": closed}, "theirs": {"a": closed}}
	fenced, opened, others := Fences{}.Whose(plan.Plan{}.WithDefaults(), table,
		[]string{"moved", "gone"})
	assert.Equal(t, []string{"moved"}, fenced)
	assert.Empty(t, opened)
	assert.Equal(t, []string{"theirs"}, others)
}

func TestMarksAreReadFromTheirOwnPositionsOnly(t *testing.T) {
	assert.Equal(t, Fences{"g": {"a": MarkFenced}}, marksIn(marked("g", "a", MarkFenced)))
	assert.Empty(t, marksIn(clusters.Committed{"orders": {lane.Queue{Broker: "a"}: MarkFenced}}),
		"no retry topic")
	assert.Empty(t, marksIn(marked("g", "a", 12)), "a position is no mark")
	assert.Empty(t, marksIn(clusters.Committed{rocketmq.RetryTopic("g"): {lane.Queue{
		Broker: "a",
		ID:     1,
	}: MarkFenced}}))
}

// A broker of the source that a person closed a group on stays closed; what differs from what is
// wanted is written.
func TestOpeningTouchesOnlyBrokersThatCarryTheMark(t *testing.T) {
	brokers := []rocketmq.Broker{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	marks := Fences{"g": {"a": MarkFenced, "b": markOpened}}
	names := func(of []rocketmq.Broker) (all []string) {
		for _, b := range of {
			all = append(all, b.Name)
		}
		return all
	}
	assert.Equal(t, []string{"a", "b"}, names(marks.among(brokers, "g")))
	assert.Empty(t, marks.among(brokers, "other"))
}
