package api

import (
	"cmp"
	"slices"
	"time"
)

// VerifyProgress is what people see of a comparison at work.
type VerifyProgress struct {
	Messages  int64  `json:"messages"`       // of all its lanes, on the source
	Read      int64  `json:"read"`           // of these
	PerSecond int64  `json:"perSecond"`      // in the last seconds
	Left      string `json:"left,omitempty"` // how long the rest takes at that pace
}

// maxExamples is how many differences a verification names: enough to find the cause, few enough to
// read.
const maxExamples = 10

// Verification sums lane reports. Clean means that nothing is missing, extra, altered or out of
// order.
type Verification struct {
	Lanes    int   `json:"lanes"`
	Compared int64 `json:"compared"`
	Natives  int64 `json:"natives"`
	Missing  int64 `json:"missing"`
	Skipped  int64 `json:"skipped,omitempty"` // given up by persons
	// Differences is the file on the worker that lists all of them as lines of JSON, if there are
	// any.
	Differences string    `json:"differences,omitempty"`
	Extra       int64     `json:"extra"`
	Altered     int64     `json:"altered"`
	OutOfOrder  int64     `json:"outOfOrder"`
	Examples    []string  `json:"examples,omitempty"`
	Measured    time.Time `json:"measured"`
	// FromSlaves are the source's brokers without a master, of which a slave was compared. Their
	// masters may have had more.
	FromSlaves []string `json:"fromSlaves,omitempty"`
	// LeftOut are the source's brokers that the plan leaves out. They weren't compared.
	LeftOut []string `json:"leftOut,omitempty"`
	// Lost says what the workers' store has lost that the comparison went by.
	Lost []string `json:"lost,omitempty"`
}

// union are the names of both lists, each once.
func union(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

// Clean reports whether the comparison found no difference and compared every lane.
func (v Verification) Clean() bool {
	return v.Missing == 0 && v.Extra == 0 && v.Altered == 0 && v.OutOfOrder == 0
}

// Plus adds the counts of two parts of one verification; its time is the later one.
func (v Verification) Plus(o Verification) Verification {
	v.Lanes += o.Lanes
	v.Compared += o.Compared
	v.Natives += o.Natives
	v.Missing += o.Missing
	v.Skipped += o.Skipped
	v.Differences = cmp.Or(o.Differences, v.Differences)
	v.Extra += o.Extra
	v.Altered += o.Altered
	v.OutOfOrder += o.OutOfOrder
	v.Examples = append(slices.Clone(v.Examples), o.Examples...)
	if len(v.Examples) > maxExamples {
		v.Examples = v.Examples[:maxExamples]
	}
	v.Measured = o.Measured
	v.FromSlaves = union(v.FromSlaves, o.FromSlaves)
	v.LeftOut = union(v.LeftOut, o.LeftOut)
	v.Lost = union(v.Lost, o.Lost)
	return v
}
