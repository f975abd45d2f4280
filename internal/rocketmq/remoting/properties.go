package remoting

import "bytes"

// Names of properties that brokers and clients act on (MessageConst). client-go v2 uses
// PropShardingKeyGo for its hash selector.
const (
	PropKeys          = "KEYS"
	PropTags          = "TAGS"
	PropWait          = "WAIT"
	PropDelay         = "DELAY"
	PropUniqKey       = "UNIQ_KEY"
	PropCluster       = "CLUSTER"
	PropMsgRegion     = "MSG_REGION"
	PropTraceOn       = "TRACE_ON"
	PropTranMsg       = "TRAN_MSG"
	PropShardingKey   = "__SHARDINGKEY"
	PropShardingKeyGo = "SHARDING_KEY"
	PropTimerDeliver  = "TIMER_DELIVER_MS"
	PropTimerDelaySec = "TIMER_DELAY_SEC"
	PropTimerDelayMs  = "TIMER_DELAY_MS"
	PropCRC32         = "__CRC32#"
	PropMinOffset     = "MIN_OFFSET"
	PropMaxOffset     = "MAX_OFFSET"
	PropRetryTopic    = "RETRY_TOPIC"
	PropRealTopic     = "REAL_TOPIC"
	PropTransferFlag  = "TRANSFER_FLAG"
)

// MaxProperties is the most bytes of properties that may be sent in a batch. Brokers acknowledge
// longer ones, which then destroy other messages: the stored length overflows after 32,767, and
// brokers add up to 110 bytes of their own.
const MaxProperties = 32_600

// NameEnd and ValueEnd come after the name and the value of each property
// (MessageDecoder.NAME_VALUE_SEPARATOR and PROPERTY_SEPARATOR).
const (
	NameEnd  = 0x01
	ValueEnd = 0x02
)

// Property is one entry of a message's properties.
type Property struct{ Name, Value string }

// eachProperty calls take for every entry in its order until take returns false. An entry without a
// value separator is no entry.
func eachProperty(raw []byte, take func(entry, name, value []byte) bool) {
	for len(raw) > 0 {
		entry := raw
		if i := bytes.IndexByte(raw, ValueEnd); i >= 0 {
			entry, raw = raw[:i+1], raw[i+1:]
		} else {
			raw = nil
		}
		body := bytes.TrimSuffix(entry, []byte{ValueEnd})
		if i := bytes.IndexByte(body, NameEnd); i >= 0 && !take(entry, body[:i], body[i+1:]) {
			return
		}
	}
}

// ParseProperties lists the entries in their stored order, repeated names and empty values
// included.
func ParseProperties(raw []byte) []Property {
	var out []Property
	eachProperty(raw, func(_, name, value []byte) bool {
		out = append(out, Property{string(name), string(value)})
		return true
	})
	return out
}

// PropertyMap is what a Java client sees: the last of repeated names wins, entries with an empty
// name or value are dropped.
func PropertyMap(raw []byte) map[string]string {
	out := map[string]string{}
	eachProperty(raw, func(_, name, value []byte) bool {
		if len(name) > 0 && len(value) > 0 {
			out[string(name)] = string(value)
		}
		return true
	})
	return out
}

// PropertyValue is the value that a client would see for name.
func PropertyValue(raw []byte, name string) (string, bool) {
	var found []byte
	eachProperty(raw, func(_, n, value []byte) bool {
		if len(value) > 0 && string(n) == name {
			found = value
		}
		return true
	})
	return string(found), found != nil
}

// EncodeProperties writes entries in their order, each closed by a separator.
func EncodeProperties(list []Property) []byte {
	var out []byte
	for _, p := range list {
		out = AppendProperty(out, p.Name, p.Value)
	}
	return out
}

// AppendProperty adds one entry after raw. It first adds the separator of the last entry where that
// is missing, as 4.9 stores it.
func AppendProperty(raw []byte, name, value string) []byte {
	raw = append(Closed(raw), name...)
	raw = append(raw, NameEnd)
	raw = append(raw, value...)
	return append(raw, ValueEnd)
}

// Open reports whether the last entry lacks its separator.
func Open(raw []byte) bool { return len(raw) > 0 && raw[len(raw)-1] != ValueEnd }

// Closed is the properties with the separator after the last entry.
func Closed(raw []byte) []byte {
	if Open(raw) {
		return append(raw, ValueEnd)
	}
	return raw
}

// WithoutProperty returns raw without the entries of that name; all other bytes stay as they are.
// It copies only if it must.
func WithoutProperty(raw []byte, name string) []byte {
	if !bytes.Contains(raw, append([]byte(name), NameEnd)) {
		return raw
	}
	out := make([]byte, 0, len(raw))
	for rest := raw; len(rest) > 0; {
		entry := rest
		if i := bytes.IndexByte(rest, ValueEnd); i >= 0 {
			entry = rest[:i+1]
		}
		rest = rest[len(entry):]
		if !bytes.HasPrefix(entry, append([]byte(name), NameEnd)) {
			out = append(out, entry...)
		}
	}
	return out
}

// Inert returns raw without the properties that make a broker delay a message that is sent alone,
// or store it as half a transaction. Messages still have them after they were delivered, committed
// or tried again.
func Inert(raw []byte) []byte {
	for _, name := range []string{PropDelay, PropTranMsg, PropTimerDeliver, PropTimerDelaySec, PropTimerDelayMs} {
		raw = WithoutProperty(raw, name)
	}
	return raw
}
