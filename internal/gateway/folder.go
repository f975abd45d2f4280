package gateway

import (
	"io"
	"os"
)

// ownFolder makes the folder this process's, and closes it to others: it is the predecessor's, or
// nobody's.
func (g *Gateway) ownFolder(before *Predecessor) (lock io.Closer, err error) {
	if before == nil {
		lock, err = lockFolder(g.config.Dir)
	} else {
		g.clients.ports.passed = before.clientListeners()
		lock = before.lock
	}
	if err == nil {
		err = closeFolder(g.config.Dir, os.Chmod, g.log)
	}
	return lock, err
}
