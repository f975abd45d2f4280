package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
)

// failures counts sends that failed.
type failures struct {
	mu   sync.Mutex
	n    int64
	last string
}

func (f *failures) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n, f.last = f.n+1, strings.Join(strings.Fields(err.Error()), " ")
}

func (f *failures) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprintf("%s%d %s", failedPrefix, f.n, f.last)
}

// failedPrefix is how the line begins by which a copier says goodbye.
const failedPrefix = "failed "

// parseFailures finds the copier's last line in what it has printed; false means that it said
// nothing.
func parseFailures(printed string) (n int64, last string, found bool) {
	for line := range strings.Lines(printed) {
		if rest, ours := strings.CutPrefix(line, failedPrefix); ours {
			count, text, _ := strings.Cut(strings.TrimSpace(rest), " ")
			_, err := fmt.Sscan(count, &n)
			return n, text, err == nil
		}
	}
	return 0, "", false
}

// copyUntil is this program as a copier: it works until in ends. args are a way's name and its job.
func copyUntil(in io.Reader, out io.Writer, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("%s needs a way and a job, got %q", copyCommand, args)
	}
	w, err := find(goWays(), args[0])
	if err != nil {
		return err
	}
	var j job
	if err := json.Unmarshal([]byte(args[1]), &j); err != nil {
		return fmt.Errorf("job of %s: %w", w.title, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, in) // whatever ends it
		cancel()
	}()
	var f failures
	if err := w.copy(ctx, j, f.add); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, f.String())
	return err
}
