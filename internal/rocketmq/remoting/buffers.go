package remoting

// Frames that carry messages come by the thousand in a second and live for milliseconds. Their
// memory is used again, so that a copier doesn't spend its time on clearing and collecting it.

// bufferSizes are the capacities of buffers that are kept: a pull with the brokers' usual limits
// fits into the first when bodies are about 1 KiB, and always into the second.
var bufferSizes = [...]int{64 << 10, 320 << 10, 1280 << 10}

// buffers that wait to be used again, about 60 MB at most: lanes have some 25 pulls read ahead
// each. They are no sync.Pool: that one is emptied by each garbage collection, and clearing new
// memory is most of what there is to save.
var buffers = [len(bufferSizes)]chan *Buffer{make(chan *Buffer, 512), make(chan *Buffer, 64), make(chan *Buffer, 8)}

// Buffer is memory that may be given back.
type Buffer struct {
	Bytes    []byte
	Messages []Message // room for what is decoded from bytes
}

// NewBuffer returns a buffer of that length. What it holds is undefined.
func NewBuffer(size int) *Buffer {
	for i, capacity := range bufferSizes {
		if size > capacity {
			continue
		}
		if size < capacity/16 && i == 0 {
			break // small ones are cheaper to make anew
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

// Release gives the buffer back; nothing may look into it any more.
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
			return // it may be somebody else's already
		}
	}
}
