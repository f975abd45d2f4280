package lanes

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
)

func TestATimeOutAfterOnesOwnCancelIsAnEnd(t *testing.T) {
	late := temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_HEARTBEAT,
		errors.New("the worker is gone"))
	require.NoError(t, failure(late, true))
	require.Error(t, failure(late, false), "nobody asked it to end")
	require.NoError(t, failure(temporal.NewCanceledError(), false))
	require.Error(t, failure(temporal.NewNonRetryableApplicationError("lane broken", "Conflict",
		nil), true), "a fault is one whoever asked")
	require.NoError(t, failure(nil, false))
}
