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

// handlers are the updates and queries that workflows register, as Temporal's Web UI shows them.
func handlers(t *testing.T, names map[string]string) (rows [][]string) {
	t.Helper()
	row := func(name ast.Expr, kind string, description ast.Expr) {
		if name, description := text(name, names), text(description, names); name != "" && description != "" {
			rows = append(rows, []string{Code(name), kind, description})
		}
	}
	const both, query = "update, signal", "query"
	for _, file := range append(parsed(t, "workflows/stage"), parsed(t, "workflows/lanes")...) {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit: // of a message.Message
				row(valueOf(n, "Name"), both, valueOf(n, "Description"))
			case *ast.CallExpr:
				called, is := n.Fun.(*ast.SelectorExpr)
				switch {
				case !is:
				case called.Sel.Name == "SetQueryHandlerWithOptions":
					row(n.Args[1], query, valueOf(n.Args[3], "Description"))
				case called.Sel.Name == "steering":
					row(n.Args[0], both, n.Args[1])
				}
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

// valueOf is what a literal says for a field, or nil.
func valueOf(literal ast.Expr, field string) ast.Expr {
	of, is := literal.(*ast.CompositeLit)
	if !is {
		return nil
	}
	for _, e := range of.Elts {
		if pair, is := e.(*ast.KeyValueExpr); is {
			if key, is := pair.Key.(*ast.Ident); is && key.Name == field {
				return pair.Value
			}
		}
	}
	return nil
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
