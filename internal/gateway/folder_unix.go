//go:build unix

package gateway

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
)

// lockFolder makes a folder this process's until the lock is closed, or the process ends however it
// does: two gateways that go by one state would undo each other's decisions. A folder that can't be
// written is locked all the same.
func lockFolder(dir string) (io.Closer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("gateway: its folder: %w", err)
	}
	path := filepath.Join(dir, "lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		file, err = os.Open(path) // of before, on a disk that can't be written any more
	}
	if err != nil {
		file, err = os.Open(dir) // which nobody could write a file to
	}
	if err != nil {
		return nil, fmt.Errorf("gateway: its folder: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf(
				"gateway: another process uses the folder %s: end it first, or give this one a folder of its own",
				dir,
			)
		}
		return nil, fmt.Errorf("gateway: lock of its folder %s: %w", dir, err)
	}
	return file, nil
}

const (
	forOthers  = 0o077 // rights of anybody but the owner in a folder's mode
	forWriters = 0o002 // everybody may write
)

// closeFolder makes a folder, which may have been there before, this user's alone: who can write to
// it says where homes are, and who can look into it may ask for all connections. One that belongs
// to another user stays as it is, which is said, as in volumes of a container that a group shares.
// Errors: everybody may write to it.
func closeFolder(dir string, chmod func(string, os.FileMode) error, log *slog.Logger) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("gateway: its folder: %w", err)
	}
	mode := info.Mode().Perm()
	if mode&forOthers == 0 {
		return nil
	}
	is := fmt.Sprintf("%04o", mode)
	if err = chmod(dir, mode&^forOthers); err == nil {
		log.Warn("the folder was open to others: it is closed to them now", "folder", dir, "mode", is)
		return nil
	}
	if mode&forWriters != 0 {
		return fmt.Errorf(
			"gateway: everybody on this machine may write to its folder %s (mode %s): give it mode 0700; "+
				"that can't be done from here: %w",
			dir,
			is,
			err,
		)
	}
	log.Warn("the folder is open to others: give it mode 0700", "folder", dir, "mode", is, "cause", err)
	return nil
}
