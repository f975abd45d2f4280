package copyjob

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/clusters"
	"rocketshift/internal/failure"
	"rocketshift/internal/rocketmq"
)

// topicsOn is a side whose brokers are called a, b and so on, with the topic's read and write
// queues and permission on each.
func topicsOn(topic string, brokers ...[3]int) topicsOf {
	t := topicsOf{topics: clusters.TopicTable{}}
	for i, b := range brokers {
		name := string(rune('a' + i))
		t.brokers = append(t.brokers, rocketmq.Broker{Name: name})
		if b != [3]int{} {
			t.topics.Add(name, map[string]rocketmq.TopicConfig{
				topic: {ReadQueues: b[0], WriteQueues: b[1], Perm: b[2]},
			})
		}
	}
	return t
}

// Such topics were made on the target with all queues to write to, and keys went to other ones
// there.
func TestACopyRefusesTopicsThatProducersWouldSeeOtherwise(t *testing.T) {
	none := [3]int{}
	for name, c := range map[string]struct {
		source, target topicsOf
		problem, note  string
	}{
		"whole":         {topicsOn("t", [3]int{4, 4, 6}), topicsOn("t", none), "", ""},
		"being shrunk":  {topicsOn("t", [3]int{4, 2, 6}), topicsOn("t", none), "", ""},
		"shrunk on two": {topicsOn("t", [3]int{4, 2, 6}, [3]int{4, 2, 6}), topicsOn("t", none, none), "", ""},
		"shrunk on two, for one": {
			topicsOn("t", [3]int{4, 2, 6}, [3]int{4, 2, 6}), topicsOn("t", none),
			"broker a shows them 2 of its 4 queues, broker b 2 of its 4", "",
		},
		"one taken out, for one": {
			topicsOn("t", [3]int{4, 4, 4}, [3]int{4, 4, 6}), topicsOn("t", none),
			"broker a shows them none of its 4 queues (permission 4)", "",
		},
		"written to, never read": {
			topicsOn("t", [3]int{2, 4, 6}), topicsOn("t", none),
			"broker a has 4 queues to write to and 2 to read from", "",
		},
		"there, seen whole": {
			topicsOn("t", [3]int{4, 2, 6}), topicsOn("t", [3]int{4, 4, 6}), "",
			"on the target (all) than on the source (broker a shows them 2 of its 4 queues)",
		},
		"there, never read": {
			topicsOn("t", [3]int{4, 4, 6}), topicsOn("t", [3]int{2, 4, 6}),
			"the target's broker a has 4 queues to write to and 2 to read from", "",
		},
		"there, seen as it is": {topicsOn("t", [3]int{4, 2, 6}), topicsOn("t", [3]int{4, 2, 6}), "", ""},
		"there, where it has to": {
			topicsOn("t", [3]int{4, 2, 6}, [3]int{4, 2, 6}), topicsOn("t", [3]int{8, 8, 6}), "",
			"producers see other queues on the target",
		},
		"there, closed to writes": {
			topicsOn("t", [3]int{4, 4, 6}), topicsOn("t", [3]int{4, 4, 4}), "",
			"none of its 4 queues (permission 4)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			copying := &Job{Request: Request{topics: []string{"t"}, create: true}}
			found := &failure.Problems{What: "copy"}
			_, err := copying.check(t.Context(), c.source, c.target, found)
			require.NoError(t, err)
			err = found.OrNil()
			notes := unlike([]string{"t"}, c.source, c.target)
			if c.problem == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.problem)
			}
			if c.note == "" {
				assert.Empty(t, notes)
			} else {
				require.Len(t, notes, 1)
				assert.Contains(t, notes[0], c.note)
			}
		})
	}
}
