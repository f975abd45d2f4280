package main

import (
	"context"
	"errors"
	"log/slog"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"
)

// ordinaryEnds lowers the level of ordinary ends that the SDK logs as errors: of activities that
// their workflow cancelled, since a service ended or an answer came, and of their last heartbeats,
// which come too late then. Errors in the log are for people to look at.
type ordinaryEnds struct{ slog.Handler }

// Handle passes a record on, as information if it is of an ordinary end.
func (q ordinaryEnds) Handle(ctx context.Context, r slog.Record) error {
	if r.Level > slog.LevelInfo && ordinary(r) {
		r.Level = slog.LevelDebug
		if !q.Enabled(ctx, r.Level) {
			return nil
		}
	}
	return q.Handler.Handle(ctx, r)
}

// WithAttrs keeps the handler around what it makes.
func (q ordinaryEnds) WithAttrs(attrs []slog.Attr) slog.Handler {
	return ordinaryEnds{q.Handler.WithAttrs(attrs)}
}

// WithGroup keeps the handler around what it makes.
func (q ordinaryEnds) WithGroup(name string) slog.Handler {
	return ordinaryEnds{q.Handler.WithGroup(name)}
}

// Messages of the SDK (v1.50, internal_task_handlers.go).
const (
	sdkActivityError  = "Activity error."
	sdkHeartbeatError = "RecordActivityHeartbeat with error"
)

func ordinary(r slog.Record) bool {
	err := errorOf(r)
	var gone *serviceerror.NotFound
	switch r.Message {
	case sdkActivityError:
		return errors.Is(err, context.Canceled) || temporal.IsCanceledError(err)
	case sdkHeartbeatError:
		return errors.Is(err, context.Canceled) || temporal.IsCanceledError(err) ||
			errors.As(err, &gone)
	}
	return false
}

// errorOf is the error that a record tells of.
func errorOf(r slog.Record) (found error) {
	r.Attrs(func(a slog.Attr) bool {
		found, _ = a.Value.Any().(error)
		return found == nil
	})
	return found
}
