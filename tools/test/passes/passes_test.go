package passes

import (
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
	tests := []Test{{Package: "a", Name: "TestX"}, {Package: "a", Name: "TestLiveX"}, {Package: "b", Name: "TestLongX"}, {Package: "c", Name: "FuzzX"}, {Package: "c", Name: "TestLivelyX"}}
	quick, rest := All(tests)
	for i, want := range []string{"without servers", "with servers", "long", "without servers", "with servers"} {
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
