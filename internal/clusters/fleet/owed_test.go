package fleet

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/gateway/control"
	"rocketshift/replicator/lane"
)

func TestWhatIsOwedIsToldWithWhatIsKnown(t *testing.T) {
	of := func(topic string, id int, copied, written int64) control.OwedQueue {
		return control.OwedQueue{
			TopicQueue: control.TopicQueue{Topic: topic, Queue: lane.Queue{Broker: "broker-a", ID: id}},
			Target:     lane.Queue{Broker: "broker-t", ID: id}, Copied: copied, Written: written,
		}
	}
	o := OwedOf([]control.OwedQueue{
		of("audit", 0, -1, 90), of("orders", 0, 40, 40), of("orders", 1, 40, 47),
	}, []string{"orders"})
	assert.Equal(t, 3, o.Queues)
	assert.EqualValues(t, 7, o.Known)
	assert.Equal(t, 1, o.Unknown)
	assert.Equal(t, []string{"orders"}, o.Ordered)
	assert.Equal(t, "orders broker-t/1, copied up to 40", o.First[0])
	assert.Contains(t, o.String(), "audit broker-t/0, copied up to where isn't known")
	assert.Equal(t, "nothing is owed", Owed{}.String())
}
