package remoting

// Thousands of frames with messages come each second and live for milliseconds. Their memory is
// used again, so that a copier needn't clear and collect it.

// bufferSizes are the capacities of buffers that are kept: a pull with the brokers' usual limits
// fits into the first when bodies are about 1 KiB, and always into the second.
var bufferSizes = [...]int{64 << 10, 320 << 10, 1280 << 10}

// buffers are those that wait to be used again, about 60 MB at most: each lane reads some 25 pulls
// ahead. A sync.Pool would be emptied by each garbage collection, and most of the saving is that
// new memory isn't cleared.
var buffers = [len(bufferSizes)]chan *Buffer{make(chan *Buffer, 512), make(chan *Buffer, 64), make(chan *Buffer, 8)}

// Buffer is memory that may be given back.
type Buffer struct {
	Bytes    []byte
	Messages []Message // memory for the messages in the bytes
}

// NewBuffer returns a buffer of that length. What it holds is undefined.
func NewBuffer(size int) *Buffer {
	for i, capacity := range bufferSizes {
		if size > capacity {
			continue
		}
		if size < capacity/16 && i == 0 {
			break // small ones cost less to allocate
		}
		select {
		case kept := <-buffers[i]:
			kept.Bytes = kept.Bytes[:size]
			return kept
		default:
			return &Buffer{Bytes: make([]byte, size, capacity)}
		}
	}
	return &Buffer{Bytes: make([]byte, size)}
}

// Release gives the buffer back; it must not be read any more.
func (b *Buffer) Release() {
	if b == nil {
		return
	}
	clear(b.Messages)
	for i, capacity := range bufferSizes {
		if cap(b.Bytes) == capacity {
			select {
			case buffers[i] <- b:
			default: // enough are kept
			}
			return // another goroutine may have it already
		}
	}
}
