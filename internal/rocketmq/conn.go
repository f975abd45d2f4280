package rocketmq

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/socket"
)

// writeTimeout bounds one write: a peer that stopped reading must not hold the other callers of the
// connection.
const writeTimeout = 10 * time.Second

// largeBody is the size from which a body isn't copied after its header to write both at once.
const largeBody = 16 << 10

// conn is one connection with many requests in flight, paired with their answers by opaque.
type conn struct {
	net     net.Conn
	server  string
	writing sync.Mutex
	buf     []byte

	mu      sync.Mutex
	waiting map[int32]chan *remoting.Command
	next    int32
	err     error // set once, when the connection can't be used any more
	used    time.Time
	gaveUp  bool // a caller gave up its request, which may still be on its way
	unheard bool // requests were sent since the server sent anything
	since   time.Time

	maxSilence time.Duration
}

func newConn(c net.Conn, server string) *conn {
	return &conn{
		net:        c,
		server:     server,
		waiting:    map[int32]chan *remoting.Command{},
		used:       time.Now(),
		maxSilence: defaultSilence,
	}
}

// read takes answers until the connection breaks, then ends every waiting call.
func (c *conn) read() {
	r := bufio.NewReaderSize(c.net, 8<<10) // small, so that most of a large frame is read without a copy
	for {
		cmd, err := remoting.ReadFrame(r)
		if err != nil {
			c.fail(err)
			return
		}
		if !cmd.Response() {
			c.heard()
			c.decline(cmd)
			continue
		}
		c.mu.Lock()
		answer := c.waiting[cmd.Opaque]
		delete(c.waiting, cmd.Opaque)
		c.used, c.unheard = time.Now(), false
		c.mu.Unlock()
		if answer != nil {
			answer <- cmd // buffered for one, and only one answer is taken
		}
	}
}

func (c *conn) heard() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unheard = false
}

// silent reports whether the server has sent nothing for too long after it was asked.
func (c *conn) silent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unheard && time.Since(c.since) > c.maxSilence
}

// decline answers a server's own request (notifications, checks) with "not supported": we are no
// consumer or producer.
func (c *conn) decline(request *remoting.Command) {
	if request.Flag&remoting.FlagOneWay != 0 {
		return
	}
	reply := &remoting.Command{
		Code:     remoting.NotSupported,
		Language: "GO",
		Version:  remoting.Version,
		Opaque:   request.Opaque,
		Flag:     remoting.FlagResponse,
		Remark:   "not a client application",
	}
	_ = c.write(reply)
}

func (c *conn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	if c.gaveUp || len(c.waiting) > 0 {
		c.discard()
	}
	_ = c.net.Close()
	for opaque, answer := range c.waiting {
		delete(c.waiting, opaque)
		close(answer)
	}
}

// discard has the system throw away what it hasn't delivered yet. The system would go on trying:
// after an outage of minutes, a send that was given up, or an old position, would still reach the
// server.
func (c *conn) discard() {
	raw := c.net
	if secure, ok := raw.(*tls.Conn); ok {
		raw = secure.NetConn()
	}
	if plain, ok := raw.(interface{ SetLinger(seconds int) error }); ok {
		_ = plain.SetLinger(0)
	}
}

func (c *conn) broken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err != nil
}

// idle is how long the connection has carried nothing, or 0 while answers are awaited.
func (c *conn) idle() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) > 0 {
		return 0
	}
	return time.Since(c.used)
}

func (c *conn) write(cmd *remoting.Command) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.net.SetWriteDeadline(time.Now().Add(writeTimeout))
	if len(cmd.Body) > largeBody {
		head, err := remoting.AppendHead(c.buf[:0], cmd)
		if err != nil {
			return err
		}
		c.buf = head
		parts := net.Buffers{head, cmd.Body}
		return socket.WriteAll(c.net, &parts)
	}
	frame, err := remoting.AppendFrame(c.buf[:0], cmd)
	if err != nil {
		return err
	}
	c.buf = frame
	_, err = c.net.Write(frame)
	return err
}

// call sends one request and waits for its answer or ctx.
func (c *conn) call(ctx context.Context, cmd *remoting.Command) (*remoting.Command, error) {
	answer := make(chan *remoting.Command, 1)
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return nil, &remoting.DialError{Server: c.server, Err: remoting.ErrConnectionLost}
	}
	c.next++
	cmd.Opaque = c.next
	c.waiting[cmd.Opaque] = answer
	c.used = time.Now()
	if !c.unheard {
		c.unheard, c.since = true, c.used
	}
	c.mu.Unlock()
	lost := func(err error) error {
		return &remoting.LostError{Server: c.server, Call: remoting.RequestName(cmd.Code), Err: err}
	}
	if err := c.write(cmd); err != nil {
		c.fail(err)
		return nil, lost(err)
	}
	select {
	case got, ok := <-answer:
		if !ok {
			return nil, lost(remoting.ErrConnectionLost)
		}
		return got, nil
	case <-ctx.Done():
		c.mu.Lock()
		delete(c.waiting, cmd.Opaque)
		c.gaveUp = true
		c.mu.Unlock()
		if c.silent() {
			c.fail(remoting.ErrSilent)
		}
		return nil, lost(context.Cause(ctx))
	}
}
