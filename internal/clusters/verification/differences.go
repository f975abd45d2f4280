package verification

import (
	"errors"
	"os"
	"path/filepath"
	"sync"

	"rocketshift/replicator/verify"
)

// File gets each difference as a line of JSON. It is made with the first one. An attempt
// that goes on after another may write some once more.
type File struct {
	Path   string
	mu     sync.Mutex
	Open   *os.File
	write  func(verify.Difference)
	failed func() error
	err    error
}

// Tell writes a difference.
func (f *File) Tell(d verify.Difference) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Open == nil && f.err == nil {
		if f.err = os.MkdirAll(filepath.Dir(f.Path), 0o755); f.err == nil {
			f.Open, f.err = os.OpenFile(f.Path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
		}
		if f.err == nil {
			f.write, f.failed = verify.WriteDifferences(f.Open)
		}
	}
	if f.err == nil {
		f.write(d)
	}
}

// Close ends the file; it fails if a line couldn't be written.
func (f *File) Close() error {
	if f.Open == nil {
		return f.err
	}
	return errors.Join(f.failed(), f.Open.Close())
}
