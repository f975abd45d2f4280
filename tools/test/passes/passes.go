// Package passes says which tests exist, and in which passes they are run: by their names, so that
// none is forgotten.
package passes

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Pass is one run of the go command over some packages.
type Pass struct {
	Name     string
	Run      string   // go test's -run; empty for all
	Skip     string   // go test's -skip; empty for none
	Servers  bool     // its tests need real servers
	Together int      // how many packages run at the same time; 0 leaves it to the go command
	Packages []string // as folders below the root, in the order of their start; "." is the root
}

// The beginnings of the names of tests that need real servers.
const (
	live = "^TestLive" // in "make test"
	long = "^TestLong" // in "make test-all" alone
)

// together is how many packages with servers run at the same time: their tests wait a lot, and on
// two cores a third one makes each of them slower by as much as it saves.
const together = 2

// slowest begin first, so that no slow one runs alone at the end. Those of workflows wait long for
// time-outs of activities, and take little of the processors.
var slowest = []string{"internal/gateway", "workflows", "replicator", "worker", "demo", "activities"}

// alone are packages whose long tests run beside no other package: two of them at a time, with
// dozens of Java programs and their load, fill two cores. Beside them brokers don't answer for
// seconds, and lanes fall ever further behind.
var alone = []string{"internal/gateway"}

// Test is a test function, an example or a fuzz target.
type Test struct {
	Package string // its folder below the root
	Name    string
	Tags    string // the file's build constraint, if any
}

// All are the passes that run every test once: "make test" runs those without Long, "make test-all"
// all of them.
func All(tests []Test) (quick, rest []Pass) {
	quick = []Pass{
		{
			Name:     "without servers",
			Skip:     live + "|" + long,
			Packages: packages(tests, func(t Test) bool { return !isLive(t) && !isLong(t) }),
		},
		{Name: "with servers", Run: live, Servers: true, Together: together, Packages: packages(tests, isLive)},
	}
	inAlone := func(t Test) bool { return slices.Contains(alone, t.Package) }
	return quick, []Pass{
		{
			Name: "long alone", Run: long, Servers: true, Together: 1,
			Packages: packages(tests, func(t Test) bool { return isLong(t) && inAlone(t) }),
		},
		{
			Name: "long", Run: long, Servers: true, Together: together,
			Packages: packages(tests, func(t Test) bool { return isLong(t) && !inAlone(t) }),
		},
	}
}

var (
	liveName = regexp.MustCompile(live)
	longName = regexp.MustCompile(long)
)

func isLive(t Test) bool { return liveName.MatchString(t.Name) }
func isLong(t Test) bool { return longName.MatchString(t.Name) }

func packages(tests []Test, which func(Test) bool) (dirs []string) {
	for _, t := range tests {
		if which(t) && !slices.Contains(dirs, t.Package) {
			dirs = append(dirs, t.Package)
		}
	}
	rank := func(dir string) int {
		if at := slices.Index(slowest, dir); at >= 0 {
			return at
		}
		return len(slowest)
	}
	slices.SortStableFunc(dirs, func(a, b string) int { return rank(a) - rank(b) })
	return dirs
}

// Runs tells whether the pass runs the test.
func (p Pass) Runs(t Test) bool {
	matches := func(pattern string) bool { return regexp.MustCompile(pattern).MatchString(t.Name) }
	return slices.Contains(p.Packages, t.Package) && (p.Run == "" || matches(p.Run)) &&
		(p.Skip == "" || !matches(p.Skip))
}

var (
	testFunction = regexp.MustCompile(`^func ((?:Test|Fuzz|Example)[A-Z_0-9]\w*)\(`)
	constraint   = regexp.MustCompile(`^//go:build (.*)$`)
)

// Find finds all tests below the root, in the order of their folders. Modules of their own below it
// are left out.
func Find(root string) (tests []Test, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path == root {
				return nil
			}
			_, missing := os.Stat(filepath.Join(path, "go.mod"))
			if missing == nil || strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin" {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		found, err := inFile(path, filepath.ToSlash(dir))
		tests = append(tests, found...)
		return err
	})
	if err == nil && len(tests) == 0 {
		err = fmt.Errorf("no tests below %s", root)
	}
	return tests, err
}

func inFile(path, dir string) (tests []Test, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	tags, lines := "", bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if found := constraint.FindStringSubmatch(lines.Text()); found != nil {
			tags = found[1]
		}
		if found := testFunction.FindStringSubmatch(lines.Text()); found != nil && found[1] != "TestMain" {
			tests = append(tests, Test{Package: dir, Name: found[1], Tags: tags})
		}
	}
	return tests, lines.Err()
}
