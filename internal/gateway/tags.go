package gateway

import (
	"slices"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// Offsets in a target broker's commit log carry a tag on their way to clients: seven bits that no
// real offset has, since they count from 64 PiB on. They are the broker's number plus one in the
// list that the gateway keeps on disk, so that what a client brings back days later still finds its
// broker.
const (
	tagBits     = 56
	mostTargets = 127
)

func tagOf(number int) int64 { return int64(number+1) << tagBits }

// untag takes the tag off an offset: number is -1 for an offset of the source.
func untag(offset int64) (number int, real int64) {
	return int(offset>>tagBits)&mostTargets - 1, offset &^ (mostTargets << tagBits)
}

// tag is the tag of a target broker.
func (bs *bothSides) tag(broker string) int64 {
	return tagOf(slices.Index(*bs.targets.Load(), broker))
}

// tagged is the target broker with that number.
func (bs *bothSides) tagged(number int) (broker string, known bool) {
	if all := *bs.targets.Load(); number < len(all) {
		return all[number], true
	}
	return "", false
}

// byCommitLog sends a request about a message to the broker that the message's offset is of.
func (s *session) byCommitLog(f *wire.Frame, key string) {
	offset, ok := f.Number(key)
	number, offset := untag(offset)
	if !ok || number < 0 {
		s.pass(f)
		return
	}
	broker, known := s.gateway.sides.tagged(number)
	if !known {
		s.refuse(f, remoting.SystemError,
			"the message's offset is of a target broker that isn't known: was the gateway's state lost?")
		return
	}
	f.SetNumber(key, offset)
	f.Replace("bname", broker)
	s.forward(f, routing.Dest{Side: routing.Target, Broker: broker}, call{})
}
