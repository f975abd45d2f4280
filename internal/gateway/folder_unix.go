//go:build unix

package gateway

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// lockFolder makes a folder this process's until the lock is closed, or the process ends however it does: two gateways that go by one
// state would undo each other's decisions. A folder that can't be written is locked all the same.
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
			return nil, fmt.Errorf("gateway: another process uses the folder %s: end it first, or give this one a folder of its own", dir)
		}
		return nil, fmt.Errorf("gateway: lock of its folder %s: %w", dir, err)
	}
	return file, nil
}
