package replica

import (
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// Stamper reads and writes the stamps of one lane in one direction.
type Stamper struct {
	Names  Names
	lane   lane.Lane
	Origin Origin
	place  string // of the queue that the lane writes to
	From   string // place of the queue that it reads
	Epoch  int    // how often the lane was restarted: copies of earlier epochs are of a deleted queue
}

// NewStamper makes and reads the stamps of a lane under these names.
func NewStamper(names Names, lane lane.Lane) Stamper {
	s := Stamper{
		Names: names, lane: lane,
		place: placeOf(names.Target, lane.Topic, lane.Target), From: placeOf(names.Source, lane.Topic, lane.Source),
	}
	s.Origin = s.Stamp(0).Origin()
	return s
}

// Stamp is the stamp of the copy of an offset.
func (s Stamper) Stamp(offset int64) Stamp {
	return Stamp{
		Offset: offset, Queue: s.lane.Source.ID, Broker: s.lane.Source.Broker, Topic: s.lane.Topic,
		Cluster: s.Names.Source, Place: s.place, Epoch: s.Epoch,
	}
}

// Restarted changes the stamps to those of an epoch.
func (s *Stamper) Restarted(epoch int) {
	s.Epoch = epoch
	s.Origin = s.Stamp(0).Origin()
}

// Made reports whether the lane made a stamp for the queue that it writes to, in any epoch.
func (s *Stamper) Made(stamp Stamp) bool {
	return stamp.Place == s.place && stamp.Cluster == s.Names.Source && stamp.Queue == s.lane.Source.ID &&
		stamp.Broker == s.lane.Source.Broker && stamp.Topic == s.lane.Topic
}

// own returns the stamp of a message on the target if the lane made it for that queue, in this
// epoch. The message is a copy only if the offset is greater than every stamped one before it in
// the queue: an application that sends a message again with all its properties also sends the old
// stamp.
func (s Stamper) own(m *remoting.Message) (Stamp, bool) {
	stamp, ok := ParseStamp(m.Properties)
	if !ok || stamp.Epoch != s.Epoch || !s.Made(stamp) {
		return Stamp{}, false
	}
	return stamp, true
}

// Offset is the offset in the lane's stamp of a message; false without one.
func (s Stamper) Offset(m *remoting.Message) (int64, bool) {
	offset, _, ok := s.Read(m)
	return offset, ok
}

// Read returns what the lane's stamp of a message says of the original: its offset, and its born
// time in milliseconds, or 0.
func (s *Stamper) Read(m *remoting.Message) (offset, born int64, ok bool) {
	if offset, born, ok = s.Origin.read(m.Properties); ok {
		return offset, born, true
	}
	stamp, ok := s.own(m)
	return stamp.Offset, stamp.Born, ok
}

// Properties splits the properties of a copy into those of the original, byte for byte, and the
// stamp, which comes after them. A stamp that the original carries is left out: it is stale, or its
// path goes on in via. born is the original's born time where the copy can't have it, or 0. The
// stamp is appended to arena.
func (s Stamper) Properties(arena, original []byte, offset, born int64, via string) (grown, kept, stamp []byte) {
	kept = remoting.WithoutProperty(original, StampProperty)
	begin := len(arena)
	arena = append(arena, stampName...)
	arena = s.Origin.append(arena, offset, born, via)
	arena = append(arena, 0x02)
	return arena, kept, arena[begin:len(arena):len(arena)]
}
