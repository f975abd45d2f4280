package stage

import (
	"math"
	"slices"
	"time"

	"rocketshift/api"
	"rocketshift/workflows/report"
)

// Children are the stages that a workflow has begun, by workflow id, with what they told last.
type Children struct {
	ids    []string // in the order of their start, so that the view is deterministic
	status map[string]api.Status
	fields map[string]*report.Heard // what each told so far
	// newest is the number of the newest report of each: signals may arrive in another order.
	newest map[string]int64
	gone   map[string]string // the last run of each that has ended
}

func newChildren() *Children {
	return &Children{
		status: map[string]api.Status{}, fields: map[string]*report.Heard{},
		newest: map[string]int64{}, gone: map[string]string{},
	}
}

// begin drops what a child told: it runs anew, and what comes late of its last run isn't heard.
func (c *Children) begin(id string, now time.Time) {
	if of := c.fields[id]; of != nil {
		c.gone[id] = of.Run
	}
	delete(c.status, id)
	delete(c.fields, id)
	c.Ignore(id, now)
	if !slices.Contains(c.ids, id) {
		c.ids = append(c.ids, id)
	}
}

// Ignore has reports not heard that are older than now.
func (c *Children) Ignore(id string, now time.Time) { c.newest[id] = now.UnixNano() }

// End has reports of a run not heard any more.
func (c *Children) End(id, run string) { c.gone[id] = run }

// RunOf is the run that a child told of last, or begun if it told of none.
func (c *Children) RunOf(id, begun string) string {
	if of := c.fields[id]; of != nil { // it may have gone on in a new run
		return of.Run
	}
	return begun
}

// Status is what a child told last, or its result.
func (c *Children) Status(id string) api.Status { return c.status[id] }

// SetStatus is for a child's result, and for what it told before it began anew.
func (c *Children) SetStatus(id string, s api.Status) { c.status[id] = s }

// Silence drops what a child waited for when it ended.
func (c *Children) Silence(id string) {
	s := c.status[id]
	s.Waiting = nil
	c.status[id] = s
}

// Edit changes what every child told.
func (c *Children) Edit(change func(*api.Status)) {
	//workflowcheck:ignore
	for id, s := range c.status { // in any order
		change(&s)
		c.status[id] = s
	}
}

// hear takes a child's report, and tells whether it was heard.
func (c *Children) hear(r report.Report) (heard bool, err error) {
	newest, before := c.newest[r.WorkflowID]
	switch {
	case r.Run != "" && r.Run == c.gone[r.WorkflowID], newest == math.MaxInt64:
		return false, nil // of a run that has ended
	case r.Status != nil: // all of it
		if before && r.Number <= newest {
			return false, nil
		}
		c.newest[r.WorkflowID], c.status[r.WorkflowID] = r.Number, *r.Status
	default:
		of := c.fields[r.WorkflowID]
		if of == nil {
			of = &report.Heard{Run: r.Run, Fields: map[string]report.Field{}}
			c.fields[r.WorkflowID] = of
		}
		status, err := of.Take(r)
		if err != nil {
			return false, err
		}
		c.newest[r.WorkflowID] = max(newest, r.Number)
		c.status[r.WorkflowID] = status
	}
	return true, nil
}
