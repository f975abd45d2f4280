package controlserver

import (
	"context"
	"net"
	"slices"
	"sync"
)

const (
	// MostCallers is how many connections the control API has: the worker's, other gateways' and
	// people's. Descriptors that clients don't get are for brokers, too.
	MostCallers = 64
	// MostWatchers is how many connections metrics and probes have.
	MostWatchers = 16
)

// LimitCallers has a listener keep so many connections at most. When there are more, the oldest one
// goes that hasn't shown a token, so that strangers keep nobody out who has one.
func LimitCallers(at net.Listener, most int) net.Listener {
	return &visitors{Listener: at, most: most}
}

// visitors are the connections of a listener.
type visitors struct {
	net.Listener
	most int

	mu   sync.Mutex
	open []*visitor // oldest first
}

// visitor is one of them.
type visitor struct {
	net.Conn
	of    *visitors
	known bool // it has shown a token; under of.mu
}

// Accept implements net.Listener.
func (l *visitors) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	one := &visitor{Conn: conn, of: l}
	if goes := l.add(one); goes != nil {
		_ = goes.Close()
	}
	return one, nil
}

// add adds one, and returns who has to go for it: it may be itself.
func (l *visitors) add(one *visitor) (goes *visitor) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = append(l.open, one)
	if len(l.open) <= l.most {
		return nil
	}
	// The new one isn't known, so there is one.
	return l.open[slices.IndexFunc(l.open, func(c *visitor) bool { return !c.known })]
}

// Close implements net.Conn.
func (c *visitor) Close() error {
	c.of.mu.Lock()
	c.of.open = slices.DeleteFunc(c.of.open, func(o *visitor) bool { return o == c })
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// visitorKey is the key of a request's caller in its context.
type visitorKey struct{}

// withVisitor names the connection that requests come by.
func withVisitor(ctx context.Context, conn net.Conn) context.Context {
	if secure, is := conn.(interface{ NetConn() net.Conn }); is { // TLS
		conn = secure.NetConn()
	}
	if one, is := conn.(*visitor); is {
		return context.WithValue(ctx, visitorKey{}, one)
	}
	return ctx
}

// knownVisitor takes note that a request's caller has shown a token.
func knownVisitor(ctx context.Context) {
	if one, is := ctx.Value(visitorKey{}).(*visitor); is {
		one.of.mu.Lock()
		one.known = true
		one.of.mu.Unlock()
	}
}
