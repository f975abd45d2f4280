package metadata

import (
	"bytes"

	"rocketshift/internal/rocketmq/remoting"
)

// Extent is how large sampled messages are, and what they are for besides their type.
type Extent struct {
	Body, Properties int // bytes, of the largest that was seen, as it is stored
	Entries          int // the most properties of one message
	Requests         int // that wait for a reply
	Replies          int
	Traces           int // records that clients with message trace switched on write
}

// Names of properties of requests and replies (MessageConst, 4.6.0 and later).
const (
	propCorrelation = "CORRELATION_ID"
	propMessageType = "MSG_TYPE"
	typeReply       = "reply"
)

// traceHeads begin the bodies of trace records (TraceDataEncoder, TraceType): the type, and the
// separator of its fields. The first three are those of 4.4.0; 4.9.7 has EndTransaction besides, 5.3.3
// and 5.5.0 Recall.
var traceHeads = [][]byte{
	[]byte("Pub\x01"), []byte("SubBefore\x01"), []byte("SubAfter\x01"), []byte("EndTransaction\x01"),
	[]byte("Recall\x01"),
}

func (e *Extent) add(m remoting.Message) {
	entries, correlated, reply := 0, false, false
	for _, p := range remoting.ParseProperties(m.Properties) {
		entries++
		correlated = correlated || p.Name == propCorrelation
		reply = reply || p.Name == propMessageType && p.Value == typeReply
	}
	switch {
	case reply:
		e.Replies++
	case correlated:
		e.Requests++
	}
	for _, head := range traceHeads {
		if bytes.HasPrefix(m.Body, head) {
			e.Traces++
		}
	}
	e.Body, e.Properties = max(e.Body, len(m.Body)), max(e.Properties, len(m.Properties))
	e.Entries = max(e.Entries, entries)
}
