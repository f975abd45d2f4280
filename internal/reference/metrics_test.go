package reference

import (
	"go/ast"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

func TestTheReferenceHasEveryMetric(t *testing.T) {
	Check(t, "metrics.md", "worker", metrics(t, "worker", "rocketshift_"))
	Check(t, "metrics.md", "gateway", metrics(t, "internal/gateway/metrics", "rocketshift_gateway_"))
}

// metrics are those that a package describes, by its function of that name.
func metrics(t *testing.T, folder, prefix string) string {
	t.Helper()
	var rows [][]string
	for _, file := range parsed(t, folder) {
		lists := map[string]string{}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, is := n.(*ast.ValueSpec); is && len(spec.Values) == 1 {
				if list, is := spec.Values[0].(*ast.CompositeLit); is {
					lists[spec.Names[0].Name] = labels(list.Elts, nil)
				}
			}
			call, is := n.(*ast.CallExpr)
			if !is {
				return true
			}
			if called, is := call.Fun.(*ast.Ident); is && called.Name == "describe" {
				rows = append(rows, []string{
					Code(prefix + text(call.Args[0], nil)), labels(call.Args[2:], lists), text(call.Args[1], nil),
				})
			}
			return true
		})
	}
	require.Greater(t, len(rows), 10)
	return Table([]string{"metric", "labels", "meaning"}, rows)
}

func labels(of []ast.Expr, lists map[string]string) string {
	var out []string
	for _, e := range of {
		if name, is := e.(*ast.Ident); is {
			out = append(out, lists[name.Name])
		} else if s := text(e, nil); s != "" {
			out = append(out, Code(s))
		}
	}
	return strings.Join(out, ", ")
}

// probes have no pattern of their own: they are looked at before everything else.
var probes = map[string]bool{"/healthz": true, "/readyz": true, "/livez": true}

func TestTheReferenceHasEveryPathOfTheControlAPI(t *testing.T) {
	document, err := os.ReadFile(filepath.Join(Root(t), "docs", "reference", "gateway-api.yaml"))
	require.NoError(t, err)
	var described struct {
		Paths map[string]map[string]struct{ Summary string }
	}
	require.NoError(t, yaml.Unmarshal(document, &described))
	registered := map[string]bool{}
	for _, file := range parsed(t, "internal/gateway/controlserver") {
		ast.Inspect(file, func(n ast.Node) bool {
			call, is := n.(*ast.CallExpr)
			if !is || len(call.Args) != 2 {
				return true
			}
			if called, is := call.Fun.(*ast.SelectorExpr); is && strings.HasPrefix(called.Sel.Name, "Handle") {
				if pattern := text(call.Args[0], nil); strings.Contains(pattern, " /") {
					registered[pattern] = true
				}
			}
			return true
		})
	}
	require.Greater(t, len(registered), 10)
	var rows [][]string
	for _, path := range sorted(described.Paths) {
		for _, verb := range sorted(described.Paths[path]) {
			pattern := strings.ToUpper(verb) + " " + path
			rows = append(rows, []string{Code(pattern), described.Paths[path][verb].Summary})
			require.True(t, registered[pattern] || probes[path], "the gateway serves no %s", pattern)
			delete(registered, pattern)
		}
	}
	require.Empty(t, registered, "gateway-api.yaml lacks these")
	Check(t, "control-api.md", "paths", Table([]string{"request", "what it does"}, rows))
}
