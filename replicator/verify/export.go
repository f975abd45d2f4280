package verify

import (
	"encoding/json"
	"io"
	"sync"
)

// WriteDifferences returns a function for Options.Differences that writes each difference as
// a line of JSON, and one that tells the first error of the writer. Both may be used by several
// comparisons at once.
func WriteDifferences(to io.Writer) (write func(Difference), failed func() error) {
	var mu sync.Mutex
	var first error
	lines := json.NewEncoder(to)
	write = func(d Difference) {
		mu.Lock()
		defer mu.Unlock()
		if first == nil {
			first = lines.Encode(d)
		}
	}
	failed = func() error {
		mu.Lock()
		defer mu.Unlock()
		return first
	}
	return write, failed
}
