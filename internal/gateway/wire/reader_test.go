package wire

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What has come of a large frame before the reader begins is no more than that frame: what comes
// together with its end, or behind it, are others.
func TestAReaderGoesOnWhereAnotherHasStopped(t *testing.T) {
	frame := func(opaque int32, body int) []byte {
		return AppendRequest(nil, 10, opaque, 0, nil, make([]byte, body))
	}
	first, second, third := frame(1, 100_000), frame(2, 30_000), frame(3, 10)
	rest := bytes.Join([][]byte{first[60_000:], second, third}, nil)
	r := NewReader(bytes.NewReader(rest), first[:60_000]...)
	var f Frame
	for opaque := range int32(3) {
		require.NoError(t, r.Next(&f))
		assert.Equal(t, opaque+1, f.Opaque)
	}
	assert.LessOrEqual(t, len(r.buf), usualBuffer, "nothing of that is kept")
}
