package replicator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rocketshift/internal/rocketmq"
)

// StampProperty is the property that each copy carries. Every other property of a copy is its original's, or the target
// broker's own.
const StampProperty = "ROCKETSHIFT"

// Stamp says where the original of a copy lies.
//
// The topic is part of it, although a copy has the topic of its original: a copy that a consumer fails to process moves to the
// group's dead-letter topic with all its properties, and must not pass for a copy in the lane of that topic.
type Stamp struct {
	Cluster, Topic, Broker string
	Queue                  int
	Offset                 int64
}

// String is the property's value: offset,queue,broker,topic,cluster. RocketMQ allows no comma in these names.
func (s Stamp) String() string {
	return fmt.Sprintf("%d,%d,%s,%s,%s", s.Offset, s.Queue, s.Broker, s.Topic, s.Cluster)
}

// ParseStamp finds the stamp in stored properties. Where there are several, the last counts, as for every property.
func ParseStamp(raw []byte) (Stamp, bool) {
	value, found := rocketmq.PropertyValue(raw, StampProperty)
	if !found {
		return Stamp{}, false
	}
	parts := strings.SplitN(value, ",", 5)
	if len(parts) != 5 {
		return Stamp{}, false
	}
	offset, errOffset := strconv.ParseInt(parts[0], 10, 64)
	queue, errQueue := strconv.Atoi(parts[1])
	if errOffset != nil || errQueue != nil || offset < 0 || queue < 0 {
		return Stamp{}, false
	}
	return Stamp{Cluster: parts[4], Topic: parts[3], Broker: parts[2], Queue: queue, Offset: offset}, true
}

// stamper reads and writes the stamps of one lane.
type stamper struct {
	cluster string // name of the source's cluster
	lane    Lane
}

func (s stamper) stamp(offset int64) Stamp {
	return Stamp{Cluster: s.cluster, Topic: s.lane.Topic, Broker: s.lane.Source.Broker, Queue: s.lane.Source.ID, Offset: offset}
}

// offset returns the stamped offset of a message on the target whose stamp names the lane's source queue. It is a copy only if
// that offset is greater than every one before it in the queue: an application that sends a message again with all its
// properties carries an old stamp along.
func (s stamper) offset(m rocketmq.Message) (int64, bool) {
	stamp, ok := ParseStamp(m.Properties)
	if !ok || stamp != s.stamp(stamp.Offset) {
		return 0, false
	}
	return stamp.Offset, true
}

// properties returns the stored properties of the copy: the original's, byte for byte, and the stamp. A stamp that the original
// carries goes: it is stale, or of an earlier migration.
func (s stamper) properties(original []byte, offset int64) []byte {
	// Clipped, as the original's bytes lie in a buffer in which the next message follows.
	kept := slices.Clip(rocketmq.WithoutProperty(original, StampProperty))
	return rocketmq.AppendProperty(kept, StampProperty, s.stamp(offset).String())
}
