package verify

import (
	"fmt"
	"slices"

	"rocketshift/replicator/lane"
)

// maxExamples is how many differences a report shows of a lane.
const maxExamples = 5

// Kind is what is wrong with a message.
type Kind string

// The kinds of differences.
const (
	KindMissing Kind = "missing" // an original without a copy
	KindExtra   Kind = "extra"   // a repeated copy, or a copy of nothing
	KindAltered Kind = "altered" // a copy with other content
	KindOrder   Kind = "order"   // a copy after the copy of a later message
)

// Difference is one message that isn't on the target as it is on the source.
type Difference struct {
	Topic    string `json:"topic"`
	Broker   string `json:"broker"` // of the source queue
	Queue    int    `json:"queue"`
	Kind     Kind   `json:"kind"`
	Offset   int64  `json:"offset"`   // of the original
	Position int64  `json:"position"` // of the copy on the target; -1 if there is none
	// what is altered: body, flag, system flag, born time, reconsume count, or property and a name
	Field  string `json:"field,omitempty"`
	Detail string `json:"detail"` // a sentence for people
}

// report counts a difference, and shows the first ones.
func (v *verification) report(kind Kind, offset, position int64, field, detail, example string) {
	v.example(example)
	v.tell(Difference{Kind: kind, Offset: offset, Position: position, Field: field, Detail: detail})
}

// tell completes a difference and hands it on.
func (v *verification) tell(d Difference) {
	if v.differences != nil {
		d.Topic, d.Broker, d.Queue = v.Topic, v.Source.Broker, v.Source.ID
		v.differences(d)
	}
}

func (v *verification) example(text string) {
	if len(v.Examples) < maxExamples {
		v.Examples = append(v.Examples, text)
	}
}

// extra reports a copy that shouldn't be there.
func (v *verification) extra(offset, position int64, format string, args ...any) {
	v.Extra++
	detail := fmt.Sprintf(format, args...)
	v.report(KindExtra, offset, position, "", detail, "extra: "+detail)
}

// altered reports a copy with other content.
func (v *verification) altered(offset, position int64, field, detail string) {
	v.Altered++
	v.report(KindAltered, offset, position, field, detail,
		fmt.Sprintf("altered: offset %d, position %d on the target: %s", offset, position, detail))
}

// late reports a copy whose original seemed to be missing.
func (v *verification) late(offset, position int64) {
	v.Missing--
	v.OutOfOrder++
	detail := fmt.Sprintf("offset %d is at position %d on the target, behind the copy of offset %d", offset,
		position, v.newest)
	v.report(KindOrder, offset, position, "", detail, "out of order: "+detail)
}

// found removes the offset from the missing ones.
func (v *verification) found(offset int64) bool {
	i := slices.IndexFunc(v.missing, func(s lane.Span) bool { return s.From <= offset && offset < s.To })
	if i < 0 {
		return false
	}
	s := v.missing[i]
	var rest []lane.Span
	for _, part := range []lane.Span{{From: s.From, To: offset}, {From: offset + 1, To: s.To}} {
		if part.From < part.To {
			rest = append(rest, part)
		}
	}
	v.missing = slices.Replace(v.missing, i, i+1, rest...)
	return true
}

// leaveOutSkipped removes what a person gave up from the missing ones.
func (v *verification) leaveOutSkipped() {
	l, answers := lane.Lane{Topic: v.Topic, Source: v.Source}, v.answers
	for i, a := range v.answers {
		if a.Action == lane.Restart && a.Of(l, false) {
			answers = v.answers[i+1:] // offsets before it belong to the old topic
		}
	}
	for _, a := range answers {
		if a.Action != lane.Skip || !a.Of(l, false) {
			continue
		}
		for offset := max(a.From, v.From); offset < min(a.To, v.To); offset++ {
			if v.found(offset) {
				v.Missing--
				v.Skipped++
			}
		}
	}
}

// reportMissing reports what is still missing at the end: a difference for each message, and one
// example for neighbours.
func (v *verification) reportMissing() {
	v.leaveOutSkipped()
	for _, s := range v.missing {
		v.example(
			fmt.Sprintf("missing: offsets %d to %d of source queue %s have no copy on the target", s.From,
				s.To-1, v.Source),
		)
		for offset := s.From; offset < s.To; offset++ {
			v.tell(Difference{Kind: KindMissing, Offset: offset, Position: -1, Detail: "it has no copy on the target"})
		}
	}
}
