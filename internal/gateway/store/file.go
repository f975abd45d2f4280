package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/files"
)

// trouble is why the last state isn't on disk.
type trouble struct {
	cause error
	since time.Time
}

// File is where it is kept. Who saves together is written together.
type File struct {
	Path    string
	Reached func(phase string)

	mu    sync.Mutex
	done  *sync.Cond
	want  int // saves asked for
	have  int // of these, how many are on disk, or failed
	busy  bool
	err   error
	begun State // what was there at the beginning

	frozen bool // another process goes by it
	// postponed is whether what is to be saved waits: another process serves yet, and this one is
	// about to take over.
	postponed bool

	First bool // nothing was
	Log   *slog.Logger

	trouble trouble

	Failures atomic.Int64 // of writes
}

// Open reads the state of a folder, which it makes if it isn't there. Errors: it can't be read, or
// somebody has changed it.
func Open(dir string) (*File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("gateway: its folder: %w", err)
	}
	f := &File{Path: filepath.Join(dir, "gateway.json"), Reached: func(string) {}}
	f.done = sync.NewCond(&f.mu)
	text, err := os.ReadFile(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		f.First = true
		return f, nil
	}
	if err == nil {
		f.begun, err = Parse(text)
	}
	if err != nil {
		return nil, fmt.Errorf(
			"gateway: its state in %s can't be read: %w; without it nobody knows where homes and groups are, "+
				"so it doesn't start",
			f.Path,
			err,
		)
	}
	return f, nil
}

// Last is what was there when it was opened.
func (f *File) Last() State { return f.begun }

// Save writes what build returns. It is on disk when save returns without an error.
func (f *File) Save(build func() State) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.frozen {
		return errors.New("gateway: its state passes to another process")
	}
	if f.postponed {
		return nil // whoever ends that saves
	}
	f.want++
	for mine := f.want; f.have < mine; {
		if f.busy {
			f.done.Wait()
			continue
		}
		f.busy = true
		upTo := f.want
		f.mu.Unlock()
		err := f.write(build())
		if err != nil {
			f.Failures.Add(1)
		}
		f.mu.Lock()
		f.busy, f.have, f.err = false, upTo, err
		f.noted(err)
		f.done.Broadcast()
	}
	return f.err
}

func (f *File) write(s State) (err error) {
	if s.Checksum, err = s.Sum(); err != nil {
		return err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	file := files.Replacement{
		Path: f.Path, Permission: 0o600,
		Written: func() { f.Reached(PhaseWritten) }, Replaced: func() { f.Reached(PhaseReplaced) },
	}
	if err := file.With(text); err != nil {
		return fmt.Errorf("gateway: its state can't be written to %s: %w", f.Path, err)
	}
	return nil
}
