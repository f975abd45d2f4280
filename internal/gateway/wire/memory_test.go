package wire

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// purse is a memory that tells what was taken.
type purse struct {
	mu         sync.Mutex
	held, came int
	taken      []int
	err        error
	gone       chan struct{}
}

// now is what is held, while a reader reads.
func (p *purse) now() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held
}

func (p *purse) Take(n int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = append(p.taken, n)
	if p.err == nil {
		p.held += n
	}
	return p.err
}

func (p *purse) Give(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held -= n
}

func (p *purse) Came(n int)            { p.came += n }
func (p *purse) Gone() <-chan struct{} { return p.gone }

func TestMemoryForLargeFramesIsTakenBeforeTheyAreRead(t *testing.T) {
	frame := func(body int) []byte { return AppendRequest(nil, 10, 1, 0, nil, make([]byte, body)) }
	usual, large := frame(usualBuffer-200), frame(300_000)
	require.LessOrEqual(t, len(usual), usualBuffer)
	in, out := io.Pipe()
	p, r := &purse{}, NewReader(in)
	r.Bound(p, 1<<20)
	var f Frame
	go func() {
		for _, raw := range [][]byte{usual, large, usual, large[:5000]} {
			_, _ = out.Write(raw)
		}
		_ = out.Close()
	}()
	require.NoError(t, r.Next(&f))
	assert.Empty(t, p.taken, "usual frames wait for nobody")
	require.NoError(t, r.Next(&f))
	assert.Equal(t, perByte*len(large), p.held)
	assert.Greater(t, p.came, len(large)/2, "it is said how it comes")
	assert.True(t, bytes.Equal(large, f.Bytes()))
	require.NoError(t, r.Next(&f))
	assert.Zero(t, p.held, "the last one isn't there any more")
	require.ErrorIs(t, r.Next(&f), io.ErrUnexpectedEOF)
	assert.Equal(t, perByte*len(large), p.held)
	r.Release()
	r.Release()
	assert.Zero(t, p.held)

	no := errors.New("no room")
	p = &purse{err: no}
	r = NewReader(bytes.NewReader(large))
	r.Bound(p, 1<<20)
	require.ErrorIs(t, r.Next(&f), no)
	r.Release()
	assert.Zero(t, p.held)
	r = NewReader(bytes.NewReader(frame(1 << 20)))
	r.Bound(p, 1<<20)
	require.ErrorIs(t, r.Next(&f), ErrFrame)
	assert.Len(t, p.taken, 1, "what is too long takes nothing")
}

// Who waits for a frame keeps nothing of the one before: that may be 16 MiB.
func TestAReaderThatWaitsKeepsNoLargeFrame(t *testing.T) {
	in, out := io.Pipe()
	r := NewReader(in)
	var f Frame
	read := make(chan error, 1)
	next := func() { go func() { read <- r.Next(&f) }() }
	next()
	_, err := out.Write(AppendRequest(nil, 10, 1, 0, []string{"topic", "orders"}, make([]byte, 1<<20)))
	require.NoError(t, err)
	require.NoError(t, <-read)
	f.SetOpaque(7)
	next()
	_, err = out.Write([]byte{0}) // it waits for the rest
	require.NoError(t, err)
	assert.Zero(t, len(f.Bytes())+len(f.Body))
	for _, one := range f.Fields[:cap(f.Fields)] {
		assert.Nil(t, one.Value)
	}
	_ = out.Close()
	require.Error(t, <-read)
}
