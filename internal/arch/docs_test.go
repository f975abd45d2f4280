package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/tools/test/passes"
)

// named are tests with servers that a page names, in part or whole.
var named = regexp.MustCompile(`\bTest(?:Live|Long)\w*`)

// The docs say which test shows what they say, by the beginning of its name.
func TestTestsThatTheDocsNameAreThere(t *testing.T) {
	tests, err := passes.Find("../..")
	require.NoError(t, err)
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, name := range named.FindAllString(string(text), -1) {
			if !slices.ContainsFunc(tests, func(test passes.Test) bool { return strings.HasPrefix(test.Name, name) }) {
				t.Errorf("%s names the test %s, but there is none", page, name)
			}
		}
	}
}
