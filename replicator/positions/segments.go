package positions

import (
	"cmp"
	"context"
	"math"
	"slices"

	"rocketshift/replicator/lane"
)

// Segment is a stretch of a lane whose shift is constant: the message at Source+i of the source
// queue and the one at Target+i of the target queue are the same, for every i below Length. One of
// the two is the copy of the other.
type Segment struct {
	Source int64 `json:"source"`
	Target int64 `json:"target"`
	Length int64 `json:"length"`
	// Cut says that before (Source, Target) both queues hold the same messages, in whatever order:
	// a reader that has read everything before the one has read everything before the other. Then
	// every place inside the segment is a cut too.
	Cut bool `json:"cut,omitempty"`
}

// Segments are the lane's segments in the order of the source, rebuilt from the two queues alone:
// the first time by some probes for each segment, then by reading what is new. Where the queues end
// at a cut, a last one without length says so. What expired on a side, and what persons gave up,
// counts as being there.
//
// A lane that runs tells its new ones to Options.Copied.
func (p *Positions) Segments(ctx context.Context, l lane.Lane) ([]Segment, error) {
	here, there, err := p.replicas(ctx, l)
	if err != nil {
		return nil, err
	}
	var all []Segment
	var source, target []lane.Span // what is on both sides, or was until it expired on the other
	keep := func(s Segment) {
		source, target = append(source, lane.Span{From: s.Source, To: s.Source + s.Length}), append(target,
			lane.Span{From: s.Target, To: s.Target + s.Length})
		if gone := min(s.Length, max(0, here.from-s.Source, there.from-s.Target)); gone < s.Length {
			all = append(all, Segment{Source: s.Source + gone, Target: s.Target + gone, Length: s.Length - gone})
		}
	}
	for _, r := range there.runs {
		keep(Segment{Source: r.offset, Target: r.position, Length: r.length})
	}
	for _, r := range here.runs {
		keep(Segment{Source: r.position, Target: r.offset, Length: r.length})
	}
	all = append(all, Segment{Source: here.to, Target: there.to})
	slices.SortFunc(all, func(a, b Segment) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Target, b.Target))
	})
	MarkCuts(all, wholeUpTo(max(here.from, there.read), source), wholeUpTo(max(there.from, here.read), target))
	if last := len(all) - 1; !all[last].Cut {
		all = all[:last]
	}
	return Joined(all), nil
}

// MarkCuts finds the segments before which the same is on both sides: up to source and target
// nothing is missing on the other side, and no segment lies before it on one side and behind it on
// the other.
func MarkCuts(all []Segment, source, target int64) {
	next := make([]int64, len(all)+1) // the first place on the target of this segment and those that follow
	next[len(all)] = math.MaxInt64
	for i, s := range slices.Backward(all) {
		next[i] = min(s.Target, next[i+1])
	}
	behind := int64(0) // where those before it end on the target
	for i := range all {
		s := &all[i]
		s.Cut = s.Source <= source && s.Target <= target && behind <= s.Target && s.Target <= next[i]
		behind = max(behind, s.Target+s.Length)
	}
}

// wholeUpTo is the first offset from one on that is in no span.
func wholeUpTo(from int64, spans []lane.Span) int64 {
	slices.SortFunc(spans, func(a, b lane.Span) int { return cmp.Compare(a.From, b.From) })
	for _, s := range spans {
		if s.From <= from {
			from = max(from, s.To)
		}
	}
	return from
}

// Joined makes one of segments that go on without a gap.
func Joined(all []Segment) []Segment {
	var out []Segment
	for _, s := range all {
		if n := len(out); n > 0 {
			if last := &out[n-1]; last.Source+last.Length == s.Source && last.Target+last.Length == s.Target &&
				last.Cut == s.Cut {
				last.Length += s.Length
				continue
			}
		}
		out = append(out, s)
	}
	return out
}
