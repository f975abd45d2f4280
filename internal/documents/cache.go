package documents

import "sync"

// kept bounds what a program keeps in memory of documents that it has read: a few inventories of
// the largest migrations. An activity that waits reads its names again with each try.
const kept = 32 << 20

// cache keeps the documents that were read last.
type cache struct {
	mu    sync.Mutex
	bytes int
	by    map[string][]byte
	order []string // oldest first
}

func (c *cache) get(digest string) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	content, ok := c.by[digest]
	return content, ok
}

func (c *cache) put(digest string, content []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.by[digest]; there || len(content) > kept {
		return
	}
	if c.by == nil {
		c.by = map[string][]byte{}
	}
	c.by[digest] = content
	c.order = append(c.order, digest)
	for c.bytes += len(content); c.bytes > kept; c.order = c.order[1:] {
		c.bytes -= len(c.by[c.order[0]])
		delete(c.by, c.order[0])
	}
}
