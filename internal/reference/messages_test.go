package reference

import (
	"fmt"
	"go/ast"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/plan"
)

func TestTheReferenceHasEveryNameOfWorkflows(t *testing.T) {
	groups := map[string][][]string{}
	names := map[string]string{}
	for _, c := range textConstants(t, "api") {
		names[c.name] = c.value
		switch {
		case strings.HasSuffix(c.name, "TaskQueue"):
			groups["queues"] = append(groups["queues"], []string{Code(c.value)})
		case strings.HasSuffix(c.name, "Type"):
			id := api.StageID(plan.Plan{Name: "NAME"}, c.value)
			groups["types"] = append(groups["types"], []string{Code(c.value), Code(id), c.comment})
		case strings.HasSuffix(c.name, "Attribute"):
			groups["attributes"] = append(groups["attributes"], []string{Code(c.value), "Keyword"})
		}
	}
	require.Greater(t, len(groups["types"]), 9)
	Check(t, "workflows.md", "types", Table([]string{"workflow type", "workflow id", ""}, groups["types"]))
	Check(t, "workflows.md", "queues", Table([]string{"task queue"}, groups["queues"]))
	Check(t, "workflows.md", "attributes", Table([]string{"search attribute", "type"}, groups["attributes"]))
	Check(t, "workflows.md", "messages", Table([]string{"name", "kind", "what it does"}, handlers(t, names)))
}

// registers are the functions of the SDK that register handlers, and what for.
var registers = map[string]string{
	"SetUpdateHandlerWithOptions": "update, signal", "SetQueryHandlerWithOptions": "query",
}

// handlers are the updates and queries that workflows register, as Temporal's Web UI shows them.
func handlers(t *testing.T, names map[string]string) (rows [][]string) {
	t.Helper()
	described := map[string]string{} // of handlers that are registered in a loop
	for _, file := range parsed(t, "workflows") {
		ast.Inspect(file, func(n ast.Node) bool {
			if pair, is := n.(*ast.KeyValueExpr); is {
				key, value := text(pair.Key, names), text(pair.Value, names)
				if _, of := pair.Key.(*ast.SelectorExpr); of && key != "" && value != "" {
					described[key] = value
				}
			}
			return true
		})
	}
	for _, file := range parsed(t, "workflows") {
		ast.Inspect(file, func(n ast.Node) bool {
			call, is := n.(*ast.CallExpr)
			if !is || len(call.Args) != 4 {
				return true
			}
			called, is := call.Fun.(*ast.SelectorExpr)
			if !is || registers[called.Sel.Name] == "" {
				return true
			}
			kind := registers[called.Sel.Name]
			name, description := text(call.Args[1], names), describedBy(call.Args[3], names)
			if name != "" {
				rows = append(rows, []string{Code(name), kind, description})
				return true
			}
			for _, one := range []string{api.HoldName, api.ResumeName, api.BackName} {
				require.NotEmpty(t, described[one], one)
				rows = append(rows, []string{Code(one), kind, described[one]})
			}
			return true
		})
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	for name, value := range names {
		if strings.HasSuffix(name, "Name") && value != api.StopName {
			require.Contains(t, fmt.Sprint(rows), Code(value), name)
		}
	}
	return append(rows, []string{Code(api.StopName), "signal", "End Replicate or SyncOffsets, in good order"})
}

// describedBy is the description in the options of a handler.
func describedBy(options ast.Expr, names map[string]string) (found string) {
	ast.Inspect(options, func(n ast.Node) bool {
		if pair, is := n.(*ast.KeyValueExpr); is {
			if key, is := pair.Key.(*ast.Ident); is && key.Name == "Description" {
				found = text(pair.Value, names)
			}
		}
		return true
	})
	return found
}

func TestTheReferenceHasEveryFieldOfMessages(t *testing.T) {
	notes := comments(t, "api")
	maps.Copy(notes, comments(t, "replicator/lane"))
	for name, message := range map[string]any{
		api.ApproveName: api.Approval{}, api.HoldName: api.Steering{}, api.ReleasedName: api.Released{},
		api.AnswerName: api.LaneAnswer{}, api.SetRateName: api.RateChange{},
	} {
		var rows [][]string
		for _, f := range fields(reflect.ValueOf(message), "", notes) {
			rows = append(rows, []string{Code(f.path), f.kind, angled.Replace(f.comment)})
		}
		Check(t, "workflows.md", name, Table([]string{"field", "kind", "comment in the code"}, rows))
	}
}
