package reference

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/plan"
)

// planKey is a key in the first column of the page's own table.
var planKey = regexp.MustCompile("`([\\w.]+)`")

func TestTheReferenceHasEveryKeyOfAPlan(t *testing.T) {
	notes := comments(t, "plan")
	usual := plan.Plan{Target: plan.Target{Provider: plan.ProviderLocal}}.Normal()
	usual.Target.Provider = ""
	var rows [][]string
	keys := fields(reflect.ValueOf(usual), "", notes)
	for _, f := range keys {
		absent := ""
		if !f.value.IsZero() && !(f.value.Kind() == reflect.Slice && f.value.Len() == 0) {
			written, err := json.Marshal(f.value.Interface())
			require.NoError(t, err)
			absent = Code(strings.Trim(strings.ReplaceAll(string(written), ",", ", "), `"`))
		}
		rows = append(rows, []string{Code(f.path), f.kind, absent, angled.Replace(f.comment)})
	}
	require.Greater(t, len(rows), 35)
	Check(t, "plan.md", "keys", Table([]string{"key", "kind", "if absent", "comment in the code"}, rows))

	page, err := os.ReadFile(filepath.Join(Root(t), "docs", "reference", "plan.md"))
	require.NoError(t, err)
	own, _, _ := strings.Cut(string(page), "<!-- made by make reference")
	told := map[string]bool{}
	for _, line := range strings.Split(own, "\n") {
		if strings.HasPrefix(line, "| `") {
			first, _, _ := strings.Cut(line[2:], " | ")
			for _, found := range planKey.FindAllStringSubmatch(first, -1) {
				told[found[1]] = true
			}
		}
	}
	for _, f := range keys {
		require.True(t, told[f.path], "docs/reference/plan.md explains no key %s", f.path)
		delete(told, f.path)
	}
	require.Empty(t, told, "no plan has these keys")
}
