package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// A connection to a server carries answers that count for others than the client who asked: those
// to sends say what is stored. So a frame that there is no memory for doesn't end it: its body is
// thrown away as it comes.

// DroppedError is why a frame's body was thrown away. The frame has its header.
type DroppedError struct {
	// Whole means that it had no body: nothing of it is missing.
	Whole bool
	// Long means that its header lies in memory that all connections share: the frame mustn't be
	// kept while anybody else is waited for.
	Long  bool
	cause error
}

func (e *DroppedError) Error() string { return "a frame was thrown away: " + e.cause.Error() }
func (e *DroppedError) Unwrap() error { return e.cause }

// errGone is why a frame is thrown away that has begun to come.
var errGone = errors.New("who asked for it has gone")

// longHeaders are those of frames that are thrown away, as far as they don't fit in a connection's
// own buffer: eight of 256 KiB take 2 MiB at most, which nobody has to take. Stock brokers write
// none, unless they quote what is so long.
var longHeaders = make(chan struct{}, 8)

// Drops has Next throw away, within a time each, what is too long, or has no memory, or whose
// client goes while it comes, and return a DroppedError.
func (r *Reader) Drops(within time.Duration) { r.drops = within }

// Dropping reports whether the reader has ended in the middle of what it throws away: then another
// one can't go on.
func (r *Reader) Dropping() bool { return r.dropping }

// goes reports whether nobody wants what is being read any more, and it is to be thrown away.
func (r *Reader) goes() bool {
	if r.drops == 0 || r.from == nil {
		return false
	}
	select {
	case <-r.from.Gone():
		return true
	default:
		return false
	}
}

// drop reads a frame that has begun to its end, and keeps its header alone.
func (r *Reader) drop(f *Frame, size int, why error) error {
	end := time.Now().Add(r.drops)
	r.dropping = true
	has := r.buf[r.r:r.w]
	if r.large != nil {
		has = *r.large
	}
	head := headerAt + int(binary.BigEndian.Uint32(has[4:])&0xFFFFFF)
	long := head > usualBuffer
	if long && !takeLongHeader(r.drops) {
		return fmt.Errorf("no memory for its header: %w", why)
	}
	raw := make([]byte, head)
	begun := len(has)
	copy(raw, has)
	r.Release()
	r.long, r.partial, r.r, r.w = long, false, 0, 0
	if len(r.buf) < usualBuffer {
		r.buf = make([]byte, usualBuffer)
	}
	for begun < size {
		to := r.buf[:min(len(r.buf), size-begun)]
		if begun < head {
			to = raw[begun:]
		}
		if err := r.readUntil(to, &begun, size, end); err != nil {
			return fmt.Errorf("%w, of what is thrown away: %w", err, why)
		}
	}
	r.dropping = false
	binary.BigEndian.PutUint32(raw, uint32(head-4))
	if err := f.Parse(raw); err != nil {
		return err
	}
	return &DroppedError{head == size, long, why}
}

// readUntil reads more of a frame, unless it is late.
func (r *Reader) readUntil(to []byte, begun *int, size int, end time.Time) error {
	got, err := r.in.Read(to)
	*begun += got
	switch {
	case *begun == size:
		return nil
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	case err == nil && time.Now().After(end):
		return fmt.Errorf("it comes for longer than %s", r.drops)
	}
	return err
}

// takeLongHeader waits for the memory for a long header.
func takeLongHeader(most time.Duration) bool {
	late := time.NewTimer(most)
	defer late.Stop()
	select {
	case longHeaders <- struct{}{}:
		return true
	case <-late.C:
		return false
	}
}
