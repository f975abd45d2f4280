package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errNoMemory = errors.New("no room")

// answerOf is an answer with a remark and a body of so many bytes.
func answerOf(opaque int32, remark, body int) []byte {
	return AppendReply(nil, opaque, false,
		Reply{Code: 5, Remark: strings.Repeat("r", remark), Body: make([]byte, body)})
}

// wants has the next frame be one of these numbers, of which nothing is missing.
func wants(t *testing.T, r *Reader, f *Frame, opaque int32) {
	t.Helper()
	require.NoError(t, r.Next(f))
	require.Equal(t, opaque, f.Opaque)
}

// dropsNext has the next frame's body be thrown away.
func dropsNext(t *testing.T, r *Reader, f *Frame, opaque int32) *DroppedError {
	t.Helper()
	var dropped *DroppedError
	require.ErrorAs(t, r.Next(f), &dropped)
	require.Equal(t, opaque, f.Opaque, "whose answer it is is known")
	require.Equal(t, 5, f.Code)
	return dropped
}

// What there is no memory for, or what is too long, is read to its end: what comes behind it may
// count for others than its client.
func TestWhatHasNoRoomIsReadAndThrownAway(t *testing.T) {
	in := bytes.NewReader(bytes.Join([][]byte{
		answerOf(1, 10, 300_000), answerOf(2, 10, 10), answerOf(3, 0, 2<<20), answerOf(4, 10, 10),
		answerOf(5, 20_000, 0), answerOf(6, 20_000, 7), answerOf(7, 10, 10),
	}, nil))
	p, r := &purse{err: errNoMemory}, NewReader(in)
	r.Bound(p, 1<<20)
	r.Drops(time.Second)
	var f Frame
	dropped := dropsNext(t, r, &f, 1)
	require.ErrorIs(t, dropped, errNoMemory)
	assert.Empty(t, f.Body)
	wants(t, r, &f, 2)
	dropped = dropsNext(t, r, &f, 3)
	require.ErrorIs(t, dropped, ErrFrame)
	assert.False(t, dropped.Long)
	wants(t, r, &f, 4)
	dropped = dropsNext(t, r, &f, 5)
	assert.True(t, dropped.Whole, "it had no body")
	assert.True(t, dropped.Long)
	assert.Len(t, f.Remark, 20_000)
	assert.Len(t, longHeaders, 1)
	dropped = dropsNext(t, r, &f, 6)
	assert.False(t, dropped.Whole)
	wants(t, r, &f, 7)
	require.ErrorIs(t, r.Next(&f), io.EOF)
	assert.Zero(t, p.held)
	assert.Empty(t, longHeaders)
}

// Whose client goes while its frame comes gives the memory back then, not at the frame's end.
func TestTheMemoryOfAFrameWhoseClientGoesIsFree(t *testing.T) {
	in, out := io.Pipe()
	p := &purse{gone: make(chan struct{})}
	r := NewReader(in)
	r.Bound(p, 1<<20)
	r.Drops(time.Second)
	read := make(chan error, 1)
	var f Frame
	go func() { read <- r.Next(&f) }()
	raw := answerOf(1, 10, 300_000)
	begun, most := raw[:100_000], len(raw)-1
	_, err := out.Write(begun)
	require.NoError(t, err)
	close(p.gone)
	_, err = out.Write(raw[len(begun):most])
	require.NoError(t, err)
	require.Empty(t, read)
	assert.Zero(t, p.now(), "it isn't at its end yet")
	_, err = out.Write(raw[most:])
	require.NoError(t, err)
	var dropped *DroppedError
	require.ErrorAs(t, <-read, &dropped)
	assert.EqualValues(t, 1, f.Opaque)
	go func() { _, _ = out.Write(answerOf(2, 10, 10)) }()
	wants(t, r, &f, 2)
}

// slowly gives a byte now and then, without an end.
type slowly struct{ each time.Duration }

func (s slowly) Read(b []byte) (int, error) {
	time.Sleep(s.each)
	return 1, nil
}

func TestNothingIsThrownAwayWithoutEnd(t *testing.T) {
	raw := answerOf(1, 10, 300_000)
	r := NewReader(io.MultiReader(bytes.NewReader(raw[:1000]), slowly{time.Millisecond}))
	r.Bound(&purse{err: errNoMemory}, 1<<20)
	r.Drops(20 * time.Millisecond)
	var f Frame
	err := r.Next(&f)
	require.ErrorContains(t, err, "longer than 20ms")
	require.ErrorIs(t, err, errNoMemory)
	assert.True(t, r.Dropping(), "nobody can go on from here")
}
