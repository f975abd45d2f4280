package passes

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTestsAreFoundWithTheirFolderAndConstraint(t *testing.T) {
	tests, err := Find("testdata/module")
	require.ErrorContains(t, err, "testdata/module")
	require.Empty(t, tests)
	tests, err = Find("../..")
	require.NoError(t, err)
	require.Contains(t, tests, Test{Package: "test/passes", Name: "TestTestsAreFoundWithTheirFolderAndConstraint"})
}

func TestEachTestIsRunByOnePass(t *testing.T) {
	tests := []Test{{Package: "a", Name: "TestX"}, {Package: "a", Name: "TestLiveX"}, {Package: "b", Name: "TestLongX"}, {Package: "c", Name: "FuzzX"}, {Package: "c", Name: "TestLivelyX"}, {Package: "internal/gateway", Name: "TestLongX"}}
	quick, rest := All(tests)
	for i, want := range []string{"without servers", "with servers", "long", "without servers", "with servers", "long alone"} {
		var by []string
		for _, p := range append(quick, rest...) {
			if p.Runs(tests[i]) {
				by = append(by, p.Name)
			}
		}
		require.Equal(t, []string{want}, by, tests[i].Name)
	}
}

func TestSlowPackagesBeginFirst(t *testing.T) {
	quick, _ := All([]Test{{Package: "a", Name: "TestLiveX"}, {Package: "demo", Name: "TestLiveX"}, {Package: "internal/gateway", Name: "TestLiveX"}})
	require.Equal(t, []string{"internal/gateway", "demo", "a"}, quick[1].Packages)
}

// make test-loops runs each test that make test-long skips or shortens; make test-clients runs the
// one that needs clients which are installed apart.
func TestEachTestThatIsSkippedOrShortenedIsAmongTheLoops(t *testing.T) {
	root := "../../.."
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	setting := func(name string) string {
		found := regexp.MustCompile(`(?m)^` + name + ` [?:]= (.*)$`).FindSubmatch(makefile)
		require.NotNil(t, found, "the Makefile says nothing of %s", name)
		return string(found[1])
	}
	loop, looped := regexp.MustCompile(setting("LOOP")), strings.Fields(setting("LOOPED"))
	all, err := Find(root)
	require.NoError(t, err)
	found := 0
	for _, one := range all {
		if !isLong(one) || one.Name == "TestLongStockClientsSendAndReadInAllTheirWays" {
			continue
		}
		files, err := filepath.Glob(filepath.Join(root, one.Package, "*_test.go"))
		require.NoError(t, err)
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			_, body, is := strings.Cut(string(text), "\nfunc "+one.Name+"(")
			if !is {
				continue
			}
			body, _, _ = strings.Cut(body, "\n}\n")
			if regexp.MustCompile(`labtest\.(Loop|Whole|Rounds)\(`).MatchString(body) {
				found++
				require.Regexp(t, loop, one.Name)
				require.Contains(t, looped, "./"+one.Package, one.Name)
			}
		}
	}
	require.Greater(t, found, 15, "the tests are looked for in the right way")
}
