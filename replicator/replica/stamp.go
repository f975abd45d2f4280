package replica

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// StampProperty is the property that each copy carries. Every other property of a copy is its
// original's, or the target broker's own.
const StampProperty = "ROCKETSHIFT"

// Names are those of the lanes of one migration. They must not change while the lanes live: copies
// are found by them.
type Names struct {
	Group  string // the lanes' consumer group, of their progress, hints and locks
	Source string // id of the source cluster in stamps
	Target string // id of the target cluster in stamps
}

// Check refuses names that stamps can't carry.
func (n Names) Check() error {
	if n.Group == "" {
		return fmt.Errorf("replicator: the lanes' consumer group must be named")
	}
	for side, id := range map[string]string{"source": n.Source, "target": n.Target} {
		if id == "" || strings.ContainsAny(id, ",;\x01\x02") {
			return fmt.Errorf(
				"replicator: %q can't be the id of the %s: it must have a character, and none of , ; or "+
					"control characters",
				id,
				side,
			)
		}
	}
	if n.Source == n.Target {
		return fmt.Errorf(
			"replicator: source and target have the same id %q: copies couldn't be told from originals",
			n.Source,
		)
	}
	return nil
}

// Stamp says where the original of a copy lies, and where the copy was put.
//
// The topic and the place are part of it, although a copy has the topic of its original. A copy
// that a consumer fails to process moves to the group's dead-letter topic with all its properties,
// and an application may send it again to any queue of either side. Neither must be taken for a
// copy there.
type Stamp struct {
	Offset  int64  // of the original in its queue
	Born    int64  // the original's born time in milliseconds, where the copy's differs; else 0
	Queue   int    // queue id of the original
	Epoch   int    // how often the lane was restarted before
	Broker  string // its broker
	Topic   string // its topic
	Cluster string // id of its cluster
	Place   string // digest of the queue that the copy was made for
	Via     string // ids of the clusters that the message passed before Cluster, each followed by a semicolon
}

// String is the property's value: offset[/born],queue[.epoch],broker,topic,cluster,place[,via].
// RocketMQ allows no comma in these names.
func (s Stamp) String() string { return string(s.Origin().append(nil, s.Offset, s.Born, s.Via)) }

// Origin is the part of the stamp that is the same for all messages of a lane.
func (s Stamp) Origin() Origin {
	epoch := ""
	if s.Epoch > 0 {
		epoch = fmt.Sprintf(".%d", s.Epoch)
	}
	return Origin(fmt.Sprintf(",%d%s,%s,%s,%s,%s", s.Queue, epoch, s.Broker, s.Topic, s.Cluster, s.Place))
}

// Origin is what follows the offset in a stamp.
type Origin string

func (o Origin) append(dst []byte, offset, born int64, via string) []byte {
	dst = strconv.AppendInt(dst, offset, 10)
	if born != 0 {
		dst = strconv.AppendInt(append(dst, '/'), born, 10)
	}
	dst = append(dst, o...)
	if via != "" {
		dst = append(append(dst, ','), via...)
	}
	return dst
}

// read is the counterpart of append, and allocates nothing. Where it finds no such stamp, there may
// still be one that only ParseStamp understands.
func (o Origin) read(raw []byte) (offset, born int64, ok bool) {
	at := bytes.Index(raw, stampName)
	if at < 0 || at > 0 && raw[at-1] != 0x02 {
		return 0, 0, false
	}
	rest := raw[at+len(stampName):]
	if bytes.Contains(rest, stampName) {
		return 0, 0, false // the last one counts
	}
	offset, rest = leadingNumber(rest)
	if len(rest) > 0 && rest[0] == '/' {
		if born, rest = leadingNumber(rest[1:]); born <= 0 {
			return 0, 0, false
		}
	}
	if offset < 0 || len(rest) < len(o) || string(rest[:len(o)]) != string(o) {
		return 0, 0, false
	}
	rest = rest[len(o):]
	return offset, born, len(rest) == 0 || rest[0] == 0x02 || rest[0] == ','
}

// leadingNumber reads the digits at the beginning; the number is -1 if there are none, or too many.
func leadingNumber(raw []byte) (number int64, rest []byte) {
	n := 0
	for n < len(raw) && n < 19 && '0' <= raw[n] && raw[n] <= '9' {
		number = 10*number + int64(raw[n]-'0')
		n++
	}
	if n == 0 || n == 19 {
		return -1, raw
	}
	return number, raw[n:]
}

// Passed reports whether the message is from that cluster, or came through it.
func (s Stamp) Passed(cluster string) bool {
	if s.Cluster == cluster {
		return true
	}
	for via := range strings.SplitSeq(s.Via, ";") {
		if via == cluster {
			return true
		}
	}
	return false
}

// placeOf is a short name of a queue. No two queues of a migration are likely to have the same.
func placeOf(cluster, topic string, q lane.Queue) string {
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE(fmt.Appendf(nil, "%s,%s,%s,%d", cluster, topic, q.Broker, q.ID)))
}

var stampName = []byte(StampProperty + "\x01")

// ParseStamp finds the stamp in stored properties. Where there are several, the last counts, as for
// every property.
func ParseStamp(raw []byte) (Stamp, bool) {
	if !bytes.Contains(raw, stampName) { // most messages have none
		return Stamp{}, false
	}
	value, found := remoting.PropertyValue(raw, StampProperty)
	parts := strings.SplitN(value, ",", 7)
	if !found || len(parts) < 6 {
		return Stamp{}, false
	}
	offsetText, bornText, late := strings.Cut(parts[0], "/")
	offset, err := strconv.ParseUint(offsetText, 10, 63)
	queueText, epochText, restarted := strings.Cut(parts[1], ".")
	queue, errQueue := strconv.ParseUint(queueText, 10, 31)
	s := Stamp{
		Offset:  int64(offset),
		Queue:   int(queue),
		Broker:  parts[2],
		Topic:   parts[3],
		Cluster: parts[4],
		Place:   parts[5],
	}
	if late {
		born, errBorn := strconv.ParseInt(bornText, 10, 64)
		if errBorn != nil || born == 0 {
			return Stamp{}, false
		}
		s.Born = born
	}
	if restarted {
		epoch, errEpoch := strconv.ParseUint(epochText, 10, 31)
		if errEpoch != nil || epoch == 0 {
			return Stamp{}, false
		}
		s.Epoch = int(epoch)
	}
	if len(parts) == 7 {
		s.Via = parts[6]
	}
	return s, err == nil && errQueue == nil
}

// backSuffix is added to the forward lanes' consumer group to make that of the reverse lanes.
const backSuffix = "-back"

// Back are the names of the same lanes in the other direction.
func (n Names) Back() Names {
	return Names{Group: n.Group + backSuffix, Source: n.Target, Target: n.Source}
}
