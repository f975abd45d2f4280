package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// told runs events through, and returns what is printed, with the folders of what is kept.
func told(t *testing.T, events ...string) (printed, dir, flaky string) {
	t.Helper()
	root := t.TempDir()
	dir, flaky = filepath.Join(root, "last"), filepath.Join(root, "flaky")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.Mkdir(flaky, 0o755))
	r, err := parse(strings.NewReader(strings.Join(events, "\n")))
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, r.tell(&out, dir, flaky, root))
	return out.String(), dir, flaky
}

func line(action, test, output string) string {
	return fmt.Sprintf(`{"Action":%q,"Package":"p/a","Test":%q,"Output":%q}`, action, test, output)
}

func TestWhatPassesPrintsNothing(t *testing.T) {
	printed, dir, flaky := told(t, line("run", "TestX", ""), line("output", "TestX", "noise\n"), line("pass", "TestX", ""), line("output", "", "ok\n"), line("pass", "", ""))
	require.Empty(t, printed)
	require.Empty(t, files(t, dir))
	require.Empty(t, files(t, flaky))
}

func TestAFailedTestPrintsItsOwnLogAlone(t *testing.T) {
	printed, dir, flaky := told(t,
		line("output", "TestX/sub", "mine\n"), line("output", "TestY", "another's\n"), line("fail", "TestX/sub", ""), line("fail", "TestX", ""),
		line("pass", "TestY", ""), line("output", "", "FAIL\n"), line("fail", "", ""))
	require.Equal(t, "\nFAILED p/a TestX, its log: last/p-a TestX.log\nmine\n", printed)
	require.Len(t, files(t, dir), 1)
	require.Empty(t, files(t, flaky))
}

func TestATestThatPassesInItsSecondRunIsFlakyAndItsFirstLogIsKept(t *testing.T) {
	printed, dir, flaky := told(t,
		line("output", "TestX", "first\n"), line("fail", "TestX", ""), line("fail", "", ""),
		line("output", "TestX", "second\n"), line("pass", "TestX", ""), line("pass", "", ""))
	require.Equal(t, "\nFLAKY p/a TestX, its log: flaky/p-a TestX.log\nfirst\n", printed)
	require.Empty(t, files(t, dir))
	require.Len(t, files(t, flaky), 1)
}

func TestATestThatFailsTwiceHasFailed(t *testing.T) {
	printed, _, flaky := told(t, line("fail", "TestX", ""), line("fail", "", ""), line("fail", "TestX", ""), line("fail", "", ""))
	require.Contains(t, printed, "FAILED p/a TestX")
	require.Empty(t, files(t, flaky))
}

func TestATestThatNeverEndsAndAPackageThatDoesNotBuildAreTold(t *testing.T) {
	printed, _, _ := told(t, line("output", "TestX", "panic: oh\n"), line("fail", "", ""))
	require.Contains(t, printed, "FAILED p/a TestX")
	require.Contains(t, printed, "panic: oh")
	printed, _, _ = told(t, line("output", "", "undefined: x\n"), line("fail", "", ""))
	require.Contains(t, printed, "FAILED p/a , its log: last/p-a.log\nundefined: x")
}

func TestALongLogIsShortened(t *testing.T) {
	var events []string
	for i := range 1000 {
		events = append(events, line("output", "TestX", fmt.Sprintf("line %d %s\n", i, strings.Repeat("x", 10*lineWidth))))
	}
	printed, dir, _ := told(t, append(events, line("fail", "TestX", ""), line("fail", "", ""))...)
	lines := strings.Split(strings.TrimSpace(printed), "\n")
	require.Len(t, lines, 1+firstLines+1+lastLines)
	require.Equal(t, "    ... 925 lines ...", lines[1+firstLines])
	require.Contains(t, lines[len(lines)-1], "line 999")
	require.LessOrEqual(t, len(lines[1]), lineWidth+10)
	raw, err := os.ReadFile(filepath.Join(dir, "p-a TestX.log"))
	require.NoError(t, err)
	require.Greater(t, len(raw), 1000*10*lineWidth, "the whole log is kept")
}

func files(t *testing.T, dir string) []os.DirEntry {
	t.Helper()
	all, err := os.ReadDir(dir)
	require.NoError(t, err)
	return all
}

func TestTheSlowestTestsAndThoseThatHadNotEndedAreTold(t *testing.T) {
	at := func(second int, action, test string, elapsed float64) string {
		return fmt.Sprintf(`{"Time":"2030-01-01T00:%02d:%02dZ","Action":%q,"Package":"p/a","Test":%q,"Elapsed":%g}`,
			second/60, second%60, action, test, elapsed)
	}
	r, err := parse(strings.NewReader(strings.Join([]string{
		at(0, "run", "TestSlow", 0), at(0, "run", "TestHangs", 0), at(1, "pause", "TestHangs", 0),
		at(1, "run", "TestQuick", 0), at(2, "pass", "TestQuick", 1),
		at(2, "run", "TestWaits", 0), at(2, "pause", "TestWaits", 0), // for a turn that it never gets
		at(30, "run", "TestSlow/sub", 0), at(31, "pass", "TestSlow/sub", 1), at(90, "pass", "TestSlow", 90),
		at(100, "cont", "TestHangs", 0),
	}, "\n")))
	require.NoError(t, err)
	var out bytes.Buffer
	r.tellTimes(&out, time.Date(2030, 1, 1, 0, 6, 40, 0, time.UTC))
	require.Equal(t, "   300 s  still running: p/a TestHangs\n    90 s  slowest: p/a TestSlow\n", out.String())
}
