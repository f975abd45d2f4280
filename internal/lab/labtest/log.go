package labtest

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"rocketshift/internal/lab"
)

// lastLines is how much of a log a failed test prints.
const lastLines = 60

// Log returns a logger of what a test runs, see Output.
func Log(t testing.TB, what string) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewTextHandler(Output(t, what), nil))
}

// Output takes what something that a test runs prints or logs. A test that fails prints the last
// lines of it, with its own output, and says where the rest is; one that passes prints nothing and
// keeps nothing. Writing is allowed at all times, also after the end of the test, when it has no
// effect.
func Output(t testing.TB, what string) io.Writer {
	t.Helper()
	file, err := os.CreateTemp("", "rocketshift-"+noFileName.ReplaceAllString(t.Name()+"-"+what, "-")+"-*.log")
	if err != nil {
		t.Fatal(err)
	}
	o := &output{file: file}
	t.Cleanup(func() {
		if err := o.close(); err != nil {
			t.Error(err)
		}
		if !t.Failed() {
			_ = os.Remove(file.Name()) // or somebody else removes it, as a temporary file
			return
		}
		raw, err := os.ReadFile(file.Name())
		if err != nil {
			t.Error(err)
		}
		t.Logf("%s, whole in %s, its last lines:\n%s", what, file.Name(), last(raw, lastLines))
	})
	return o
}

var noFileName = regexp.MustCompile(`[^A-Za-z0-9.]+`)

type output struct {
	mu   sync.Mutex
	file *os.File // nil after the end of the test
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.file == nil {
		return len(p), nil
	}
	return o.file.Write(p)
}

func (o *output) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	file := o.file
	o.file = nil
	return file.Close()
}

// last returns the last n lines.
func last(text []byte, n int) []byte {
	lines := slices.Collect(bytes.Lines(text))
	return bytes.Join(lines[max(0, len(lines)-n):], nil)
}

// newDir makes a folder for one cluster or server, below .run where people look when a test fails.
func newDir(root string) (string, error) {
	tests := filepath.Join(root, ".run", "tests")
	if err := os.MkdirAll(tests, 0o755); err != nil {
		return "", fmt.Errorf("folder for tests: %w", err)
	}
	if err := sweep(tests); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(tests, filepath.Base(os.Args[0])+"-")
	if err != nil {
		return "", fmt.Errorf("folder for tests: %w", err)
	}
	return dir, nil
}

// sweep removes what killed tests left behind. Their processes ended with them.
func sweep(tests string) error {
	entries, err := os.ReadDir(tests)
	if err != nil {
		return fmt.Errorf("folder for tests: %w", err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || time.Since(info.ModTime()) < keepFor {
			continue // another test binary removed it just now, or may be starting in it
		}
		dir := filepath.Join(tests, entry.Name())
		_, cluster := lab.Open(filepath.Join(dir, "cluster"))
		_, temporal := lab.OpenTemporal(dir)
		if cluster == nil || temporal == nil {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove %s, which an earlier test left: %w", dir, err)
		}
	}
	return nil
}
