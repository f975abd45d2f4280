package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/tools/test/passes"
)

// make test-all runs every test of every package in one of its passes; make test runs all of them
// but those that are long.
func TestNoTestIsForgotten(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	known, err := passes.Find(root)
	require.NoError(t, err)
	quick, rest := passes.All(known)
	all := testFunctions(t, root)
	require.Greater(t, len(all), 500, "the walk found too little to mean anything")
	for _, test := range all {
		runs := 0
		for _, p := range append(quick, rest...) {
			if p.Runs(test) {
				runs++
			}
		}
		if runs != 1 {
			t.Errorf("%s of %s is run by %d passes of make test-all, wanted 1", test.Name, test.Package, runs)
		}
	}
	for target, tests := range map[string]string{"test": "quick", "test-long": "rest", "test-all": "all", "test-busy": "quick"} {
		commands, err := exec.Command("make", "-n", "-C", root, target).CombinedOutput()
		require.NoError(t, err, "%s", commands)
		require.Regexp(t, `(?m)^go run \./tools/test -tests `+tests+`\b`, string(commands), "make %s", target)
	}
}

// make fuzz runs every fuzz target of the module: it takes all of each package that it names.
func TestNoFuzzTargetIsForgotten(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(root, "Makefile"))
	require.NoError(t, err)
	named := regexp.MustCompile(`(?m)^FUZZED :=((?:.*\\\n)*.*)$`).FindSubmatch(text)
	require.NotNil(t, named, "the Makefile has no FUZZED")
	without := map[string]bool{} // packages of which no fuzz target is known
	for _, name := range strings.Fields(strings.ReplaceAll(string(named[1]), "\\\n", " ")) {
		without[strings.TrimPrefix(name, "./")] = true
	}
	targets := 0
	for _, test := range testFunctions(t, root) {
		if !strings.HasPrefix(test.Name, "Fuzz") {
			continue
		}
		targets++
		if _, runs := without[test.Package]; !runs {
			t.Errorf("%s of %s isn't run by make fuzz: add ./%s to FUZZED in the Makefile", test.Name, test.Package,
				test.Package)
			continue
		}
		without[test.Package] = false
	}
	require.Greater(t, targets, 20, "the walk found too little to mean anything")
	for name, is := range without {
		if is {
			t.Errorf("FUZZED of the Makefile names ./%s, which has no fuzz target", name)
		}
	}
}

// constraints that don't hide a test on the machines on which the project is tested.
var harmless = regexp.MustCompile(`^(!race|linux|unix|!linux)$`)

func TestNoTestIsHiddenByABuildTag(t *testing.T) {
	tests, err := passes.Find("../..")
	require.NoError(t, err)
	for _, test := range tests {
		if test.Tags != "" && !harmless.MatchString(test.Tags) {
			t.Errorf("%s of %s is built with %s only: name it TestLong instead", test.Name, test.Package, test.Tags)
		}
	}
}

// testFunctions reads the test functions, examples and fuzz targets of all packages as the go
// command does.
func testFunctions(t *testing.T, root string) (all []passes.Test) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && (strings.HasPrefix(name, ".") || name == "bin" || name == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if ok && f.Recv == nil && isTest(f.Name.Name) {
				all = append(all, passes.Test{Package: filepath.ToSlash(dir), Name: f.Name.Name})
			}
		}
		return err
	})
	require.NoError(t, err)
	return all
}

func isTest(name string) bool {
	for _, prefix := range []string{"Test", "Fuzz", "Example"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && name != "TestMain" &&
			(rest == "" || rest[0] < 'a' || rest[0] > 'z') {
			return true
		}
	}
	return false
}
