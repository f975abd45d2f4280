package driver

import (
	"fmt"
	"io"
	"sync"
	"time"

	"rocketshift/internal/printable"
)

// console prints what happens, one line each, with the seconds since the start.
type console struct {
	mu    sync.Mutex
	out   io.Writer
	begun time.Time
}

func newConsole(out io.Writer) *console { return &console{out: out, begun: time.Now()} }

func (c *console) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.out, "%6.1fs  %s\n", time.Since(c.begun).Seconds(),
		printable.Lines(fmt.Sprintf(format, args...)))
}
