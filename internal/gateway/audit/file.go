// Package audit keeps a file of who changed what: lines are added at its end, and never changed.
package audit

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// File is such a file. It may be renamed, to keep it somewhere else: the next line begins a new
// one.
type File struct {
	path string

	mu   sync.Mutex
	file *os.File
	torn bool // the last line isn't whole
}

// Open opens a file for lines, or makes one that only its owner can read and write.
func Open(path string) (*File, error) {
	f := &File{path: path}
	return f, f.open()
}

func (f *File) open() error {
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("the record of changes: %w", err)
	}
	if f.file != nil {
		_ = f.file.Close()
	}
	f.file, f.torn = file, false
	return nil
}

// Write adds a line, which ends in a line break.
func (f *File) Write(line []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.moved() {
		if err := f.open(); err != nil {
			return 0, err
		}
	}
	if f.torn {
		if _, err := f.file.Write([]byte("\n")); err != nil {
			return 0, fmt.Errorf("the record of changes: %w", err)
		}
		f.torn = false
	}
	n, err := f.file.Write(line)
	if err != nil {
		f.torn = n > 0
		return n, fmt.Errorf("the record of changes: %w", err)
	}
	return n, nil
}

// moved reports whether the path names another file than the open one, or none.
func (f *File) moved() bool {
	now, err := os.Stat(f.path)
	if err != nil {
		return true
	}
	is, err := f.file.Stat()
	return err != nil || !os.SameFile(now, is)
}

// Sync returns when all lines are on disk.
func (f *File) Sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.file.Sync(); err != nil {
		return fmt.Errorf("the record of changes: %w", err)
	}
	return nil
}

// Close closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.file.Sync(), f.file.Close())
}
