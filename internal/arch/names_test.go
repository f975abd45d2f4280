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

// testName are tests with servers that a page names, in part or whole.
var testName = regexp.MustCompile(`\bTest(?:Live|Long)\w*`)

// The docs say which test shows what they say, by the beginning of its name.
func TestTestsThatTheDocsNameAreThere(t *testing.T) {
	tests, err := passes.Find("../..")
	require.NoError(t, err)
	for _, page := range pages(t) {
		if filepath.Base(page) == "CHANGELOG.md" { // it tells of tests as they were called then
			continue
		}
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, name := range testName.FindAllString(string(text), -1) {
			if !slices.ContainsFunc(tests, func(test passes.Test) bool { return strings.HasPrefix(test.Name, name) }) {
				t.Errorf("%s names the test %s, but there is none", page, name)
			}
		}
	}
}
