package replicator

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"rocketshift/internal/rocketmq"
)

// brokersOwn are the properties that brokers set or drop as they store a message.
func brokersOwn(name string) bool {
	switch name {
	case rocketmq.PropCluster, rocketmq.PropMsgRegion, rocketmq.PropTraceOn, rocketmq.PropWait, rocketmq.PropCRC32,
		rocketmq.PropMinOffset, rocketmq.PropMaxOffset, StampProperty:
		return true
	}
	return false
}

// SameMessage compares a message with its copy, except for what a broker sets anew: addresses, places, store time, transaction
// bits, its own properties, and a unique key where the original had none. It names the first difference.
func SameMessage(source, target *rocketmq.Message) (difference string, same bool) {
	const content = rocketmq.FlagsOfContent
	switch {
	case !bytes.Equal(source.Body, target.Body):
		return fmt.Sprintf("body of %d bytes, %d bytes in the copy%s", len(source.Body), len(target.Body), firstByte(source.Body, target.Body)), false
	case source.Flag != target.Flag:
		return fmt.Sprintf("flag %d, %d in the copy", source.Flag, target.Flag), false
	case source.SysFlag&content != target.SysFlag&content:
		return fmt.Sprintf("system flag %#x, %#x in the copy", source.SysFlag&content, target.SysFlag&content), false
	case source.BornTimestamp != born(target):
		return fmt.Sprintf("born at %d, %d in the copy", source.BornTimestamp, born(target)), false
	case source.ReconsumeTimes != target.ReconsumeTimes:
		return fmt.Sprintf("reconsumed %d times, %d in the copy", source.ReconsumeTimes, target.ReconsumeTimes), false
	}
	return sameProperties(rocketmq.PropertyMap(source.Properties), rocketmq.PropertyMap(target.Properties))
}

// born is the born time of a copy's original, where the copy may have another one.
func born(target *rocketmq.Message) int64 {
	if stamp, ok := ParseStamp(target.Properties); ok && stamp.Born != 0 {
		return stamp.Born
	}
	return target.BornTimestamp
}

func firstByte(a, b []byte) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf(", first difference at byte %d", i)
		}
	}
	return ""
}

func sameProperties(source, target map[string]string) (difference string, same bool) {
	names := slices.Collect(maps.Keys(source))
	for name := range target {
		if _, both := source[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		was, there := source[name]
		is, copied := target[name]
		switch {
		case brokersOwn(name), name == rocketmq.PropUniqKey && !there:
		case !there:
			return fmt.Sprintf("property %s is in the copy only", name), false
		case !copied:
			return fmt.Sprintf("property %s isn't in the copy", name), false
		case was != is:
			return fmt.Sprintf("property %s is %.40q, %.40q in the copy", name, was, is), false
		}
	}
	return "", true
}
