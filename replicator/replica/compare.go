package replica

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"rocketshift/internal/rocketmq/remoting"
)

// brokersOwn reports whether brokers set or drop a property as they store a message, or it is the
// one that makes proxies pass a message on.
func brokersOwn(name string) bool {
	switch name {
	case remoting.PropCluster, remoting.PropMsgRegion, remoting.PropTraceOn, remoting.PropWait, remoting.PropCRC32,
		remoting.PropMinOffset, remoting.PropMaxOffset, remoting.PropTransferFlag, StampProperty:
		return true
	}
	return false
}

// SameMessage compares a message with its copy and names the first difference. It leaves out what a
// broker sets anew: addresses, places, store time, transaction bits, the broker's own properties,
// and a unique key where the original had none. It also leaves out what delays a message or makes
// it half a transaction, since copies that were sent alone are without these.
func SameMessage(source, target *remoting.Message) (difference string, same bool) {
	_, difference, same = CompareContent(source, target, BornOf(target), true)
	return difference, same
}

// CompareContent is SameMessage for a copy of which more is known: born is when its original was
// born, and inert says that it was sent alone; other copies must have what delays a message, too.
// It also names the field that differs. The source may itself be a copy, with its original's born
// time in its stamp, which counts then.
func CompareContent(source, target *remoting.Message, born int64, inert bool) (field, difference string, same bool) {
	const content = remoting.FlagsOfContent
	switch {
	case !bytes.Equal(source.Body, target.Body):
		return "body", fmt.Sprintf("body of %d bytes, %d bytes in the copy%s", len(source.Body),
			len(target.Body), firstByte(source.Body, target.Body)), false
	case source.Flag != target.Flag:
		return "flag", fmt.Sprintf("flag %d, %d in the copy", source.Flag, target.Flag), false
	case source.SysFlag&content != target.SysFlag&content:
		return "system flag", fmt.Sprintf("system flag %#x, %#x in the copy", source.SysFlag&content,
			target.SysFlag&content), false
	case born != source.BornTimestamp && born != BornOf(source):
		return "born time", fmt.Sprintf("born at %d, %d in the copy", BornOf(source), born), false
	case source.ReconsumeTimes != target.ReconsumeTimes:
		return "reconsume count", fmt.Sprintf("reconsumed %d times, %d in the copy", source.ReconsumeTimes,
			target.ReconsumeTimes), false
	case sameEntries(source.Properties, target.Properties):
		return "", "", true
	case inert:
		return sameProperties(remoting.PropertyMap(remoting.Inert(source.Properties)),
			remoting.PropertyMap(remoting.Inert(target.Properties)))
	}
	return sameProperties(remoting.PropertyMap(source.Properties), remoting.PropertyMap(target.Properties))
}

// SentAlone reports whether a copy has no property that a broker would act on.
func SentAlone(copied *remoting.Message) bool {
	return len(remoting.Inert(copied.Properties)) == len(copied.Properties)
}

// BornOf is the born time of a copy's original, where the copy may have another one.
func BornOf(target *remoting.Message) int64 {
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

// sameEntries reports whether the properties are the same entry by entry, without the brokers' own.
// That is true of nearly all copies, and the comparison allocates nothing. Otherwise they may still
// be the same in another order.
func sameEntries(source, target []byte) bool {
	if rest, found := bytes.CutPrefix(target, source); found &&
		(len(source) == 0 || len(rest) == 0 || rest[0] == 0x02 || source[len(source)-1] == 0x02) {
		source, target = nil, rest // a copy has its original's properties first
	}
	for {
		var was, is []byte
		was, source = nextEntry(source)
		is, target = nextEntry(target)
		if !bytes.Equal(was, is) {
			return false
		}
		if len(was) == 0 {
			return true
		}
	}
}

// nextEntry returns the first entry that isn't the brokers' own, without its separator, and what
// follows it.
func nextEntry(raw []byte) (entry, rest []byte) {
	for len(raw) > 0 {
		entry, raw = raw, nil
		if i := bytes.IndexByte(entry, 0x02); i >= 0 {
			entry, raw = entry[:i], entry[i+1:]
		}
		if i := bytes.IndexByte(entry, 0x01); i >= 0 && !brokersOwn(string(entry[:i])) {
			return entry, raw
		}
	}
	return nil, nil
}

func sameProperties(source, target map[string]string) (field, difference string, same bool) {
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
		case brokersOwn(name), name == remoting.PropUniqKey && !there:
		case !there:
			return "property " + name, fmt.Sprintf("property %s is in the copy only", name), false
		case !copied:
			return "property " + name, fmt.Sprintf("property %s isn't in the copy", name), false
		case was != is:
			return "property " + name, fmt.Sprintf("property %s is %.40q, %.40q in the copy", name, was, is), false
		}
	}
	return "", "", true
}
