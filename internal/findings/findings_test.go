package findings

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/reference"
)

var form = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func TestEveryKindOfFindingIsExplained(t *testing.T) {
	seen := map[ID]bool{}
	for _, area := range Areas() {
		require.NotEmpty(t, area.Entries, area.Title)
		for _, e := range area.Entries {
			assert.Regexp(t, form, string(e.ID))
			assert.False(t, seen[e.ID], "%s is there twice", e.ID)
			seen[e.ID] = true
			assert.NotEmpty(t, e.Is, e.ID)
			for what, text := range map[string]string{"title": e.Title, "why": e.Why, "what to do": e.Do} {
				assert.NotEmpty(t, text, "%s of %s", what, e.ID)
				assert.NotContains(t, text, "\n", "%s of %s", what, e.ID)
				assert.False(t, strings.HasSuffix(text, "."), "%s of %s: %q", what, e.ID, text)
			}
		}
	}
}

// An id that nothing finds is a promise that nobody keeps.
func TestEveryKindOfFindingIsFoundBySomething(t *testing.T) {
	constants := map[string]bool{}
	for name := range idsOf(t) {
		constants[name] = true
	}
	require.Greater(t, len(constants), 30)
	used := map[string]bool{}
	err := filepath.WalkDir(
		filepath.Join(reference.Root(t), "internal"),
		func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if is, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := is.X.(*ast.Ident); ok && x.Name == "findings" {
						used[is.Sel.Name] = true
					}
				}
				return true
			})
			return nil
		},
	)
	require.NoError(t, err)
	for name := range constants {
		assert.True(t, used[name], "nothing finds %s", name)
	}
}

// idsOf are the constants of this package, by name, each of which must be in the catalogue.
func idsOf(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, is := n.(*ast.ValueSpec)
			if !is {
				return true
			}
			if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "ID" {
				value := strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`)
				out[spec.Names[0].Name] = value
				_, known := Of(value)
				assert.True(t, known, "%s isn't in the catalogue", value)
			}
			return true
		})
	}
	return out
}

func TestAFindingHasWhatItsKindSays(t *testing.T) {
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	f := EmptyBody.Warning("topic orders", "", "holds %d", 2).With(at, "2 of 64 sampled")
	assert.Equal(t, api.Finding{
		ID: "empty-body", Severity: api.SeverityWarning, Object: "topic orders", Cause: "holds 2",
		Next:     "keep the consumers on the 4.x remoting SDK or skip such messages, and mend who sends them",
		Evidence: []api.Evidence{{Fact: "2 of 64 sampled", At: at}},
	}, f)
	refused := f.Refused()
	assert.True(t, refused.Refusal)
	assert.Equal(t, api.SeverityRefusal, refused.Severity)
	assert.False(t, f.Refusal)
	many := f
	for range 20 {
		many = many.With(at, "%s", strings.Repeat("é", 1000))
	}
	assert.Len(t, many.Evidence, api.MostEvidence)
	assert.Less(t, len(many.Evidence[4].Fact), 310, "facts are bounded, as findings are many")
	assert.Len(t, f.Evidence, 1, "the first one is as it was")
}

func TestRefusalsStandBeforeWarningsBeforeAdvice(t *testing.T) {
	all := []api.Finding{
		EmptyBody.Advice("a", "", "x"), EmptyBody.Warning("b", "", "x"),
		{Object: "old"},
		EmptyBody.Refusal("c", "", "x"),
		{Object: "older", Refusal: true},
	}
	First(all)
	var order []string
	for _, f := range all {
		order = append(order, f.Object)
	}
	assert.Equal(t, []string{"c", "older", "b", "old", "a"}, order)
	assert.True(t, slices.IsSortedFunc(all, func(a, b api.Finding) int { return rank(a) - rank(b) }))
}
