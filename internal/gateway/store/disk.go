package store

import (
	"log/slog"
	"time"
)

// Problem is why the last state isn't on disk, and since when; "" if it is.
func (f *File) Problem() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.trouble.cause == nil {
		return ""
	}
	return f.trouble.cause.Error() + "; since " + f.trouble.since.UTC().Format(time.RFC3339)
}

// noted takes note of whether a write went well. Callers hold f.mu.
func (f *File) noted(err error) {
	was := f.trouble
	switch {
	case err == nil:
		f.trouble = trouble{}
	case was.cause == nil:
		f.trouble = trouble{err, time.Now()}
	default:
		f.trouble.cause = err
	}
	if f.Log == nil || (was.cause == nil) == (err == nil) {
		return
	}
	if err != nil {
		f.Log.Error(
			"the state can't be written: clients are served as everything stood, and nothing moves until it can",
			slog.Any("cause", err),
		)
		return
	}
	f.Log.Info("the state is on disk again", "after", time.Since(was.since).String())
}
