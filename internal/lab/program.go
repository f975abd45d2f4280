package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Program is a program in the background that outlives its starter. Its pid file identifies its
// process, so that a program which opens the file later ends that process and no other.
type Program struct {
	File string // its pid file
	Args []string
	Log  string // file that gets its output, appended

	process process
}

// programFile is what a pid file holds.
type programFile struct {
	process
	Args []string `json:"args"`
	Log  string   `json:"log"`
}

// StartProgram starts a program, whose path comes first in args, in the folder of its pid file. The
// file is on disk before the program does anything, so that it is known even if its starter is
// killed. It is an error if a program of the file runs already.
func StartProgram(file, log string, args ...string) (*Program, error) {
	old, err := OpenProgram(file)
	if err == nil && old.Alive() {
		return nil, fmt.Errorf("%s names a process that runs (%d): end it first", file, old.PID())
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	started, err := launch(command{args: args, dir: filepath.Dir(file), log: log, detached: true})
	if err != nil {
		return nil, err
	}
	p := &Program{File: file, Args: args, Log: log, process: started.process}
	if err := writeJSON(file, programFile{p.process, args, log}); err != nil {
		started.gate.Close()
		return nil, err
	}
	return p, started.release()
}

// OpenProgram reads a pid file. fs.ErrNotExist says that there is none.
func OpenProgram(file string) (*Program, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("pid file: %w", err)
	}
	var f programFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("pid file %s is damaged (%w): end its process by hand and remove the file", file, err)
	}
	return &Program{File: file, Args: f.Args, Log: f.Log, process: f.process}, nil
}

// PID is the id of its process.
func (p *Program) PID() int { return p.process.PID }

// Alive reports whether its process runs; another one with the same id doesn't count.
func (p *Program) Alive() bool { return p.process.alive() }

// End asks the program to end, kills it after the grace, and removes its pid file. It is no error
// if the program has ended already.
func (p *Program) End(grace time.Duration) error {
	if err := p.process.end(grace); err != nil {
		return err
	}
	if err := os.Remove(p.File); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("pid file: %w", err)
	}
	return nil
}
