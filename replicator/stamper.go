package replicator

import "rocketshift/internal/rocketmq"

// stamper reads and writes the stamps of one lane in one direction.
type stamper struct {
	names  Names
	lane   Lane
	origin origin
	place  string // of the queue that the lane writes to
	from   string // place of the queue that it reads
	epoch  int    // how often the lane was restarted: copies of before are of a queue that is no more
}

func newStamper(names Names, lane Lane) stamper {
	s := stamper{
		names: names, lane: lane,
		place: placeOf(names.Target, lane.Topic, lane.Target), from: placeOf(names.Source, lane.Topic, lane.Source),
	}
	s.origin = s.stamp(0).origin()
	return s
}

func (s stamper) stamp(offset int64) Stamp {
	return Stamp{
		Offset: offset, Queue: s.lane.Source.ID, Broker: s.lane.Source.Broker, Topic: s.lane.Topic,
		Cluster: s.names.Source, Place: s.place, Epoch: s.epoch,
	}
}

// restarted makes the stamps those of an epoch. The twin reads everything else here at the same time.
func (s *stamper) restarted(epoch int) {
	s.epoch = epoch
	s.origin = s.stamp(0).origin()
}

// made reports whether the lane made a stamp for that queue, in whatever epoch.
func (s *stamper) made(stamp Stamp) bool {
	return stamp.Place == s.place && stamp.Cluster == s.names.Source && stamp.Queue == s.lane.Source.ID &&
		stamp.Broker == s.lane.Source.Broker && stamp.Topic == s.lane.Topic
}

// own returns the stamp of a message on the target if the lane made it for that queue. It is a copy only if the offset is greater
// than every one before it in the queue: an application that sends a message again with all its properties carries an old stamp
// along.
func (s stamper) own(m *rocketmq.Message) (Stamp, bool) {
	stamp, ok := ParseStamp(m.Properties)
	if !ok || stamp.Epoch != s.epoch || !s.made(stamp) {
		return Stamp{}, false
	}
	return stamp, true
}

// offset is the stamped offset of own.
func (s stamper) offset(m *rocketmq.Message) (int64, bool) {
	offset, _, ok := s.read(m)
	return offset, ok
}

// read returns what own's stamp says of the original: its offset, and when it was born, or 0.
func (s *stamper) read(m *rocketmq.Message) (offset, born int64, ok bool) {
	if offset, born, ok = s.origin.read(m.Properties); ok {
		return offset, born, true
	}
	stamp, ok := s.own(m)
	return stamp.Offset, stamp.Born, ok
}

// properties splits what the copy stores into the original's properties, byte for byte, and the stamp, which comes behind them.
// A stamp that the original carries goes: it is stale, or its path goes on in via. born is the original's born time where the copy
// can't have it, or 0. The stamp is appended to arena.
func (s stamper) properties(arena, original []byte, offset, born int64, via string) (grown, kept, stamp []byte) {
	kept = rocketmq.WithoutProperty(original, StampProperty)
	begin := len(arena)
	arena = append(arena, stampName...)
	arena = s.origin.append(arena, offset, born, via)
	arena = append(arena, 0x02)
	return arena, kept, arena[begin:len(arena):len(arena)]
}
