package rocketmq

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq/remoting"
)

func TestBatchRefusesWhatWouldHarm(t *testing.T) {
	_, err := appendBatch(nil,
		[]BatchMessage{{Body: []byte("x")}, {Properties: make([]byte, remoting.MaxProperties+1)}})
	require.ErrorIs(t, err, ErrPropertiesTooLong)
	require.ErrorContains(t, err, "message 1 of the batch")
	_, err = appendBatch(nil, []BatchMessage{{Body: make([]byte, mostBody)}})
	require.ErrorIs(t, err, ErrBatchTooLarge)
	_, err = appendBatch(nil, nil)
	require.ErrorIs(t, err, ErrBatchTooLarge)
	b, err := appendBatch(nil, []BatchMessage{{Flag: 1, Body: []byte("ab"), Properties: []byte("c")}})
	require.NoError(t, err)
	require.Equal(t, []byte{0, 0, 0, 25, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 'a', 'b', 0, 1, 'c'}, b)
}
