package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
)

func TestOrdinaryEndsAreNoErrorsInTheLog(t *testing.T) {
	gone := serviceerror.NewNotFound("workflow execution already completed")
	for _, c := range []struct {
		message string
		err     error
		shown   bool
	}{
		{sdkActivityError, context.Canceled, false},
		{sdkActivityError, temporal.NewCanceledError("progress"), false},
		{sdkActivityError, errors.New("the broker refuses it"), true},
		{sdkActivityError, context.DeadlineExceeded, true},
		{sdkHeartbeatError, gone, false},
		{sdkHeartbeatError, errors.New("unavailable"), true},
		{"Workflow panic", context.Canceled, true},
	} {
		var out bytes.Buffer
		logger := slog.New(ordinaryEnds{slog.NewJSONHandler(&out, nil)})
		with := log.With(log.NewStructuredLogger(logger), "WorkerID", "me") // as the SDK does
		with.Error(c.message, "Attempt", 1, "Error", c.err)
		require.Equal(t, c.shown, out.Len() > 0, "%s: %v: %s", c.message, c.err, out.String())
	}
}
