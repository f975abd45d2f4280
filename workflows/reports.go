package workflows

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
)

// stageReport is what a child tells its parent: what has changed of its status since it told last.
// Two reports may arrive in either order: of each field the one with the larger number counts.
type stageReport struct {
	WorkflowID string `json:"workflowId"`
	Run        string `json:"run,omitempty"`
	Number     int64  `json:"number"`
	// Changes are fields of the status by their names in JSON; of lists that grow, the rows, such
	// as waves/2. A null takes a field away.
	Changes map[string]json.RawMessage `json:"changes,omitempty"`
	// Status is what children of older releases tell: all of it.
	Status *api.Status `json:"status,omitempty"`
}

// told are the fields that a parent shows of its children; the others are in a child's result.
var told = []string{
	"state", "detail", "waiting", "target", "waves", "moved", "approvals", "answers", "earlierAnswers",
	"rates", "copied", "leftAsked", "owed",
	"notes", "inventory", "metadata", "verification", "ledger", "pointOfNoReturn",
}

// byRow are the lists that grow and whose rows change one at a time.
var byRow = []string{"waves", "approvals", "answers", "rates", "copied"}

// fieldsOf are the fields of a status that a parent is told.
func fieldsOf(s api.Status) (map[string]json.RawMessage, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	fields := map[string]json.RawMessage{}
	for _, name := range told {
		value, there := all[name]
		switch {
		case !there:
		case !slices.Contains(byRow, name):
			fields[name] = value
		default:
			var rows []json.RawMessage
			if err := json.Unmarshal(value, &rows); err != nil {
				return nil, err
			}
			for i, row := range rows {
				fields[fmt.Sprintf("%s/%d", name, i)] = row
			}
		}
	}
	return fields, nil
}

// changesOf is what differs between two moments; a field that is gone is null.
func changesOf(before, now map[string]json.RawMessage) map[string]json.RawMessage {
	changes := map[string]json.RawMessage{}
	//workflowcheck:ignore
	for name, value := range now { // into a map: in any order
		if !bytes.Equal(before[name], value) {
			changes[name] = value
		}
	}
	//workflowcheck:ignore
	for name := range before { // into a map: in any order
		if _, there := now[name]; !there {
			changes[name] = json.RawMessage("null")
		}
	}
	return changes
}

// heardField is the newest that a child told of one field.
type heardField struct {
	number int64
	value  json.RawMessage
}

// heardChild is what a child has told, by field.
type heardChild struct {
	run    string
	fields map[string]heardField
}

// take adds a report and returns the child's status by now.
func (h *heardChild) take(r stageReport) (api.Status, error) {
	if h.run != r.Run {
		h.run, h.fields = r.Run, map[string]heardField{}
	}
	//workflowcheck:ignore
	for name, value := range r.Changes { // into a map: in any order
		if last, before := h.fields[name]; !before || r.Number > last.number {
			h.fields[name] = heardField{r.Number, value}
		}
	}
	return h.status()
}

func (h *heardChild) status() (s api.Status, err error) {
	values := map[string]any{}
	rows := map[string]map[int]json.RawMessage{}
	//workflowcheck:ignore
	for name, field := range h.fields { // into maps: in any order
		list, row, isRow := strings.Cut(name, "/")
		n, err := strconv.Atoi(row)
		switch {
		case !isRow:
			values[name] = field.value
		case err != nil || n < 0 || !slices.Contains(byRow, list):
			return s, errors.New("a report of a stage has a field that is none")
		default:
			if rows[list] == nil {
				rows[list] = map[int]json.RawMessage{}
			}
			rows[list][n] = field.value
		}
	}
	//workflowcheck:ignore
	for name, by := range rows { // into a map: in any order
		var list []json.RawMessage
		for i := 0; by[i] != nil && string(by[i]) != "null"; i++ { // a row that comes late waits for those before it
			list = append(list, by[i])
		}
		values[name] = list
	}
	b, err := json.Marshal(values)
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(b, &s)
}

// startTelling tells the parent what changes, one report at a time: what changes while one is on
// its way goes into the next.
func (d *stageRun) startTelling(ctx workflow.Context) {
	if d.parent == nil || !d.bounded {
		return
	}
	ctx, _ = workflow.NewDisconnectedContext(ctx) // a workflow that is cancelled tells what it does
	workflow.GoNamed(ctx, "tell the parent", func(ctx workflow.Context) {
		for workflow.Await(ctx, func() bool { return d.untold }) == nil {
			if sent := d.tell(ctx); sent != nil {
				d.telling = true
				_ = sent.Get(ctx, nil) // a parent that is gone has nothing to show
				d.telling = false
			}
		}
	})
}

// tell sends what has changed, if anything.
func (d *stageRun) tell(ctx workflow.Context) workflow.Future {
	d.untold = false
	now, err := fieldsOf(d.status)
	if err != nil {
		workflow.GetLogger(ctx).Warn("a status can't be told", "error", err)
		return nil
	}
	changes := changesOf(d.toldFields, now)
	if len(changes) == 0 {
		return nil
	}
	d.toldFields = now
	d.told = max(d.told+1, workflow.Now(ctx).UnixNano())
	own := workflow.GetInfo(ctx).WorkflowExecution
	return workflow.SignalExternalWorkflow(ctx, d.parent.ID, "", stageReportName, stageReport{
		WorkflowID: own.ID, Run: own.RunID, Number: d.told, Changes: changes,
	})
}

// hear takes a child's report.
func (d *stageRun) hear(ctx workflow.Context, r stageReport) error {
	newest, before := d.heard[r.WorkflowID]
	switch {
	case r.Run != "" && r.Run == d.gone[r.WorkflowID], newest == math.MaxInt64:
		return nil // of a run that has ended
	case r.Status != nil: // all of it
		if before && r.Number <= newest {
			return nil
		}
		d.heard[r.WorkflowID], d.reports[r.WorkflowID] = r.Number, *r.Status
	default:
		of := d.fields[r.WorkflowID]
		if of == nil {
			of = &heardChild{run: r.Run, fields: map[string]heardField{}}
			d.fields[r.WorkflowID] = of
		}
		status, err := of.take(r)
		if err != nil {
			return err
		}
		d.heard[r.WorkflowID] = max(newest, r.Number)
		d.reports[r.WorkflowID] = status
	}
	d.hearLeft(d.reports[r.WorkflowID])
	d.publish(ctx)
	return nil
}

// forget drops what a child told: it runs anew, and what comes late of its last run isn't heard.
func (d *stageRun) forget(id string) {
	if of := d.fields[id]; of != nil {
		d.gone[id] = of.run
	}
	delete(d.reports, id)
	delete(d.heard, id)
	delete(d.fields, id)
}
