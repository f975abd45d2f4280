package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/certificates"
	"rocketshift/internal/rocketmq"
)

// TLS says how the servers of a side are reached, name servers and brokers alike.
type TLS struct {
	On bool
	CA string // PEM file with the authorities that sign the servers' certificates; empty: those of the system
	// certificates aren't verified: those that servers make for themselves, by default, nobody can
	// verify
	Insecure bool
}

// client is how the side's servers are known; nil without TLS.
func (t TLS) client(of string, failed func(error)) (*certificates.Client, error) {
	switch {
	case !t.On && (t.CA != "" || t.Insecure):
		return nil, errors.New("it is told how to verify certificates, but not to use TLS")
	case !t.On:
		return nil, nil //nolint:nilnil // plain text
	case t.CA != "" && t.Insecure:
		return nil, errors.New("authorities are given, and verifying is switched off: only one of both is possible")
	}
	c := &certificates.Client{Insecure: t.Insecure}
	if t.CA != "" {
		c.Authorities = certificates.NewAuthorities("authorities of the "+of, t.CA)
		c.Authorities.Failed = failed
	}
	_, err := c.Config() // what is wrong from the beginning is said at the beginning
	return c, err
}

// dialers connect to the servers of both sides where they are reached, over TLS where that is asked
// for; nil: in plain text, as their addresses say.
func (c Config) dialers() (both [2]rocketmq.Dial, err error) {
	for on, t := range [2]TLS{c.SourceTLS, c.TargetTLS} {
		known, err := t.client(side(on).String(), func(err error) {
			c.Log.Warn("the authorities stay as they were", "side", side(on).String(), "cause", err)
		})
		if err != nil {
			return both, fmt.Errorf("gateway: TLS to the %s: %w", side(on), err)
		}
		if known != nil {
			both[on] = dialer(*known)
		}
		if at := [2]rocketmq.Addresses{c.SourceAt, c.TargetAt}[on]; len(at) > 0 {
			both[on] = reached(at, both[on])
		}
	}
	return both, nil
}

// reached connects to servers where they are reached.
func reached(at rocketmq.Addresses, dial rocketmq.Dial) rocketmq.Dial {
	if dial == nil {
		dial = inPlain
	}
	return func(ctx context.Context, addr string) (net.Conn, error) { return dial(ctx, at.Of(addr)) }
}

// dialer connects over TLS to servers that are known so.
func dialer(known certificates.Client) rocketmq.Dial {
	return func(ctx context.Context, addr string) (net.Conn, error) {
		config, err := known.Config()
		if err != nil {
			return nil, err
		}
		return rocketmq.DialTLS(ctx, addr, config)
	}
}

// entry tells clients over TLS from others, at the same port.
type entry struct {
	certificate *certificates.Files[tls.Certificate] // nil: clients over TLS are refused
	config      *tls.Config
	refusals    rarely
}

// entryWith is one with the certificate in these files; without, if there are none.
func entryWith(certificate, key string) entry {
	if certificate == "" && key == "" {
		return entry{}
	}
	return entry{certificate: certificates.NewPair("certificate for clients", certificate, key)}
}

// open begins to take clients.
func (e *entry) open(log *slog.Logger) error {
	if e.certificate == nil {
		return nil
	}
	e.certificate.Failed = func(err error) {
		log.Warn("the certificate for clients stays as it was", "cause", err)
	}
	if _, err := e.certificate.Current(); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	e.config = certificates.Server(e.certificate, nil)
	return nil
}

const (
	// tlsHandshake is the first byte of every client over TLS (RFC 8446, 5.1). In plain text it
	// would begin a frame of 369 MB, which no peer reads (TlsModeHandler of RocketMQ tells them
	// apart in the same way).
	tlsHandshake = 0x16
	// handshakeTime bounds a handshake, of which a client has nothing else to do.
	handshakeTime = 10 * time.Second
)

var errHandshake = errors.New("TLS handshake")

var errNoCertificate = errors.New(
	"a client over TLS, and the gateway has no certificate: give it one with --tls-cert and --tls-key, or " +
		"switch TLS off at the client",
)

// admit waits for a client's first byte, and for the handshake of one over TLS. It returns the
// connection to go on with, and what was read of it.
func (e *entry) admit(ctx context.Context, raw net.Conn) (conn net.Conn, first []byte, err error) {
	first = make([]byte, 1)
	if _, err = (&watched{Conn: raw, begun: new(atomic.Bool)}).Read(first); err != nil || first[0] != tlsHandshake {
		return raw, first, err
	}
	if e.config == nil {
		return nil, nil, errNoCertificate
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	_ = raw.SetReadDeadline(time.Time{}) // the context's counts
	secure := tls.Server(&begun{Conn: raw, first: first}, e.config)
	if err = secure.HandshakeContext(ctx); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errHandshake, err)
	}
	return secure, nil, nil
}

// begun is a connection of which something was read.
type begun struct {
	net.Conn
	first []byte
}

func (b *begun) Read(into []byte) (int, error) {
	if len(b.first) == 0 {
		return b.Conn.Read(into)
	}
	n := copy(into, b.first)
	b.first = b.first[n:]
	return n, nil
}

// bare is the connection that one over TLS lies on.
func bare(conn net.Conn) net.Conn {
	if secure, ok := conn.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return conn
}

// halfClose says that nothing more comes, and leaves the other direction open; false if that isn't
// possible.
func halfClose(conn net.Conn) bool {
	if secure, ok := conn.(*tls.Conn); ok {
		_ = secure.CloseWrite() // the peer may take that as a word only, and wait for the connection's own end
		conn = secure.NetConn()
	}
	half, ok := conn.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}

// rarely keeps what any client can cause from filling the log.
type rarely struct {
	mu   sync.Mutex
	last time.Time
}

// rareness is how often such a thing is said at most.
const rareness = 30 * time.Second

// each says rarely of each of some things.
type each[T comparable] struct {
	mu     sync.Mutex
	all    map[T]*rarely
	others rarely
}

// mostEach bounds of how many things it is known when something was said of them last. Of all
// others together it is said as rarely as of one: clients choose names without end.
const mostEach = 1000

func (e *each[T]) due(of T) bool {
	e.mu.Lock()
	one := e.all[of]
	if one == nil && len(e.all) >= mostEach {
		maps.DeleteFunc(e.all, func(_ T, r *rarely) bool { return r.over() })
	}
	if one == nil {
		if one = new(rarely); len(e.all) >= mostEach {
			one = &e.others
		} else {
			if e.all == nil {
				e.all = map[T]*rarely{}
			}
			e.all[of] = one
		}
	}
	e.mu.Unlock()
	return one.due()
}

// over reports whether it may be said again.
func (r *rarely) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Since(r.last) >= rareness
}

func (r *rarely) due() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.last) < rareness {
		return false
	}
	r.last = time.Now()
	return true
}
