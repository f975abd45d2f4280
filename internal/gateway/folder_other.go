//go:build !unix

package gateway

import (
	"io"
	"log/slog"
	"os"
)

// lockFolder does nothing where the system has no such locks.
func lockFolder(string) (io.Closer, error) { return io.NopCloser(nil), nil }

// closeFolder does nothing where folders have no such modes.
func closeFolder(string, func(string, os.FileMode) error, *slog.Logger) error { return nil }
