// Package files replaces files as a whole: a reader sees the old content or the new one, never a
// part of it, also when the machine dies meanwhile.
package files

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Replace replaces the content of a file durably, or not at all. The folder must exist; the file
// gets the permission. Only one caller at a time may replace the same file.
func Replace(path string, content []byte, permission os.FileMode) error {
	return Replacement{Path: path, Permission: permission}.With(content)
}

// Replacement describes how a file is replaced.
type Replacement struct {
	Path       string
	Permission os.FileMode
	// Several says that others may replace the file at the same time. Each of them then first
	// writes a file of its own, which stays if it is killed. Otherwise that file always has the
	// same name.
	Several bool
	// Written, if given, is called when the new content is on disk, beside the old one; Replaced is
	// called when a restart of the machine would find the new content.
	Written, Replaced func()
}

// With replaces the file with the content.
func (r Replacement) With(content []byte) error {
	return r.Write(func(to io.Writer) error {
		_, err := to.Write(content)
		return err
	})
}

// Write replaces the file with what the function writes. If that fails, the old file stays.
func (r Replacement) Write(write func(io.Writer) error) (err error) {
	f, err := r.next()
	if err != nil {
		return err
	}
	next := f.Name()
	err = write(f)
	if err == nil {
		err = f.Chmod(r.Permission) // the file may be an earlier one, and the umask may be any
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	tell(r.Written)
	if err := os.Rename(next, r.Path); err != nil {
		return err
	}
	tell(r.Replaced)
	dir, err := os.Open(filepath.Dir(r.Path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// next makes the file that will become the new one.
func (r Replacement) next() (*os.File, error) {
	if r.Several {
		return os.CreateTemp(filepath.Dir(r.Path), "."+filepath.Base(r.Path)+"-*")
	}
	return os.OpenFile(r.Path+".next", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, r.Permission)
}

func tell(to func()) {
	if to != nil {
		to()
	}
}
