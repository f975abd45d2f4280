package rocketmq

import "sync"

// Frames that carry messages come by the thousand in a second and live for milliseconds. Their memory is used again, so that a
// copier doesn't spend its time on clearing and collecting it.

// bufferSizes are the capacities of buffers that are kept: a pull with the brokers' usual limits fits into the first when
// bodies are about 1 KiB, and always into the second.
var bufferSizes = [...]int{64 << 10, 320 << 10, 1280 << 10}

var buffers [len(bufferSizes)]sync.Pool

// buffer is memory that may be given back.
type buffer struct {
	bytes    []byte
	messages []Message // room for what is decoded from bytes
}

// newBuffer returns a buffer of that length. What it holds is undefined.
func newBuffer(size int) *buffer {
	for i, capacity := range bufferSizes {
		if size > capacity {
			continue
		}
		if size < capacity/16 && i == 0 {
			break // small ones are cheaper to make anew
		}
		if kept, ok := buffers[i].Get().(*buffer); ok {
			kept.bytes = kept.bytes[:size]
			return kept
		}
		return &buffer{bytes: make([]byte, size, capacity)}
	}
	return &buffer{bytes: make([]byte, size)}
}

// release gives the buffer back; nothing may look into it any more.
func (b *buffer) release() {
	if b == nil {
		return
	}
	clear(b.messages)
	for i, capacity := range bufferSizes {
		if cap(b.bytes) == capacity {
			buffers[i].Put(b)
		}
	}
}
