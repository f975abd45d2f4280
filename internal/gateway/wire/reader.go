package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

const (
	idleBuffer   = 512      // what a connection has that carried only little frames
	smallBuffer  = 2 << 10  // what one has that carried frames such as heartbeats and routes, and never much at once
	usualBuffer  = 8 << 10  // holds most frames
	firstLarge   = 16 << 10 // of a large frame, this much is believed at once; the rest is reserved as it comes
	largestReuse = 256 << 10
	keptLarges   = 32 // so they take 8 MiB at most
)

// Reader reads frames from a connection. Its memory grows with what comes, never with what is
// announced.
type Reader struct {
	in    io.Reader
	buf   []byte
	r, w  int     // buf[r:w] is read and not used
	large *[]byte // holds the last frame, if that was a large one
	most  int     // of a frame, in bytes
	from  Memory  // nil: without bounds
	taken int     // of that, for the last frame
	used  int64   // bytes of all frames that were read whole

	partial bool // the large one didn't come to its end

	drops    time.Duration // within which a frame without room is thrown away; 0: it is an error
	dropping bool          // one is, and isn't at its end
	long     bool          // the last one's header is one of longHeaders
}

// Memory is where the memory for large frames is taken from.
type Memory interface {
	// Take waits until there are so many bytes.
	Take(bytes int) error
	// Give gives bytes back.
	Give(bytes int)
	// Came takes note that so much of a frame has come.
	Came(bytes int)
	// Gone is closed when nothing more is to be taken, and what was is to be given back.
	Gone() <-chan struct{}
}

// perByte is how much memory a large frame takes while it is read and passed on, in bytes for each
// of its own: once as it grows, and once more behind that, or where a header that isn't plain is
// written anew.
const perByte = 2

// NewReader reads from in; the bytes of first were read from it before: of a large frame, maybe.
func NewReader(in io.Reader, first ...byte) *Reader {
	if len(first) > usualBuffer { // a buffer for them would be kept
		in, first = io.MultiReader(bytes.NewReader(first), in), nil
	}
	r := &Reader{in: in, buf: make([]byte, max(idleBuffer, len(first))), most: MaxFrame}
	r.w = copy(r.buf, first)
	return r
}

// Rest is what was read and belongs to no frame that was taken. After a read that failed as its
// time was over, another reader that begins with it goes on.
func (r *Reader) Rest() []byte {
	if r.partial {
		return bytes.Clone(*r.large)
	}
	return bytes.Clone(r.buf[r.r:r.w])
}

// Bound has the reader take the memory for large frames from somewhere, and refuse frames longer
// than most bytes.
func (r *Reader) Bound(from Memory, most int) { r.from, r.most = from, min(most, MaxFrame) }

// larges is memory that large frames were in. A sync.Pool would lose it with each collection of
// garbage.
var larges = make(chan *[]byte, keptLarges)

func takeLarge() *[]byte {
	select {
	case b := <-larges:
		return b
	default:
		b := make([]byte, 0, firstLarge)
		return &b
	}
}

// Next reads a frame into f. What f held before is no more.
func (r *Reader) Next(f *Frame) error {
	if r.large != nil {
		f.forget() // who waits for the next frame must not keep the last one
	}
	r.Release()
	if err := r.fill(4); err != nil {
		return err
	}
	total := binary.BigEndian.Uint32(r.buf[r.r:])
	size := int(total) + 4
	switch tooLong := int64(total) > int64(r.most); {
	case total < 4, tooLong && (r.drops == 0 || size <= usualBuffer):
		return r.badLength(total)
	case size > usualBuffer:
		return r.nextLarge(f, size)
	}
	if err := r.fill(size); err != nil {
		return err
	}
	raw := r.buf[r.r : r.r+size : r.r+size]
	r.r += size
	r.used += int64(size)
	err := f.Parse(raw)
	f.More = r.another()
	return err
}

func (r *Reader) badLength(total uint32) error {
	return fmt.Errorf("%w: length %d, at most %d", ErrFrame, total, r.most)
}

// nextLarge reads a frame that may not be read before there is memory for it.
func (r *Reader) nextLarge(f *Frame, size int) error {
	if err := r.fill(headerAt); err != nil { // before memory is taken for a frame that can't be one
		return err
	}
	if err := checkHeader(r.header(), size); err != nil {
		return err
	}
	if size-4 > r.most {
		return r.drop(f, size, r.badLength(uint32(size-4)))
	}
	if r.from != nil {
		if err := r.from.Take(perByte * size); err != nil {
			if r.drops == 0 {
				return err
			}
			return r.drop(f, size, err)
		}
		r.taken = perByte * size
	}
	raw, err := r.readLarge(size)
	if err == errGone { //nolint:errorlint // it is this one
		return r.drop(f, size, err)
	}
	if err != nil {
		return err
	}
	r.used += int64(size)
	return f.Parse(raw)
}

// Used is how many bytes the frames had that were read whole.
func (r *Reader) Used() int64 { return r.used }

// header is how long the next frame's header is, of which headerAt bytes were read.
func (r *Reader) header() int { return int(binary.BigEndian.Uint32(r.buf[r.r+4:]) & 0xFFFFFF) }

// another reports whether another whole frame was read.
func (r *Reader) another() bool {
	b := r.buf[r.r:r.w]
	return len(b) >= 4 && uint64(len(b)) >= 4+uint64(binary.BigEndian.Uint32(b))
}

// Buffered reports whether more was read than used: another frame, or its beginning.
func (r *Reader) Buffered() bool { return r.r < r.w }

// Release gives up the memory of the last frame. Who reads no more must call it.
func (r *Reader) Release() {
	if r.large != nil {
		if cap(*r.large) <= largestReuse {
			select {
			case larges <- r.large:
			default:
			}
		}
		r.large = nil
	}
	if r.taken > 0 {
		r.from.Give(r.taken)
		r.taken = 0
	}
	if r.long {
		r.long = false
		<-longHeaders
	}
}

// fill reads until n bytes are there to use.
func (r *Reader) fill(n int) error {
	if r.w-r.r >= n {
		return nil
	}
	full := r.w == len(r.buf) && r.w >= smallBuffer // the last read took all that there was room for: more may be there
	if r.r == r.w {
		r.r, r.w = 0, 0
	}
	if len(r.buf)-r.r < n || full && len(r.buf) < usualBuffer {
		r.makeRoom(n, full)
	}
	for r.w-r.r < n {
		got, err := r.in.Read(r.buf[r.w:])
		r.w += got
		if r.w-r.r >= n {
			return nil
		}
		if err != nil {
			if err == io.EOF && r.w > r.r {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// makeRoom has n bytes fit in from the beginning of what is there to use, and more where much
// comes.
func (r *Reader) makeRoom(n int, much bool) {
	size := len(r.buf)
	if n > size {
		size = smallBuffer
	}
	if n > smallBuffer || much {
		size = usualBuffer
	}
	to := r.buf
	if size > len(to) {
		to = make([]byte, size)
	}
	r.w = copy(to, r.buf[r.r:r.w])
	r.r, r.buf = 0, to
}

// readLarge reads a frame into memory of its own.
func (r *Reader) readLarge(size int) ([]byte, error) {
	r.large = takeLarge()
	b := append((*r.large)[:0], r.buf[r.r:r.w]...)
	*r.large = b
	r.r, r.w, r.partial = 0, 0, true
	for len(b) < size {
		if len(b) == cap(b) { // twice as much, and not more than is needed: perByte goes by that
			b = append(make([]byte, 0, min(2*len(b), size)), b...)
		}
		got, err := r.in.Read(b[len(b):min(cap(b), size)])
		b = b[:len(b)+got]
		*r.large = b
		if r.from != nil {
			r.from.Came(got)
		}
		if err != nil && len(b) < size {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if len(b) < size && r.goes() {
			return nil, errGone
		}
	}
	*r.large, r.partial = b, false
	return b, nil
}
