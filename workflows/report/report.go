package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rocketshift/api"
)

// Signal is the signal from a child to its parent that its status has changed.
const Signal = "stageReport"

// Report is what a child tells its parent: what has changed of its status since it told last.
// Two reports may arrive in either order: of each field the one with the larger number counts.
type Report struct {
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

// FieldsOf are the fields of a status that a parent is told.
func FieldsOf(s api.Status) (map[string]json.RawMessage, error) {
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

// ChangesOf is what differs between two moments; a field that is gone is null.
func ChangesOf(before, now map[string]json.RawMessage) map[string]json.RawMessage {
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

// Field is the newest that a child told of one field.
type Field struct {
	number int64
	value  json.RawMessage
}

// Heard is what a child has told, by field.
type Heard struct {
	Run    string
	Fields map[string]Field
}

// Take adds a report and returns the child's status by now.
func (h *Heard) Take(r Report) (api.Status, error) {
	if h.Run != r.Run {
		h.Run, h.Fields = r.Run, map[string]Field{}
	}
	//workflowcheck:ignore
	for name, value := range r.Changes { // into a map: in any order
		if last, before := h.Fields[name]; !before || r.Number > last.number {
			h.Fields[name] = Field{r.Number, value}
		}
	}
	return h.status()
}

func (h *Heard) status() (s api.Status, err error) {
	values := map[string]any{}
	rows := map[string]map[int]json.RawMessage{}
	//workflowcheck:ignore
	for name, field := range h.Fields { // into maps: in any order
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
