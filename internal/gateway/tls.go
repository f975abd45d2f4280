package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// TLS says how the servers of a side are reached, name servers and brokers alike.
type TLS struct {
	On       bool
	CA       string // PEM file with the authorities that sign the servers' certificates; empty: those of the system
	Insecure bool   // certificates aren't verified: those that servers make for themselves, by default, nobody can verify
}

// config is what to dial with; nil without TLS.
func (t TLS) config() (*tls.Config, error) {
	switch {
	case !t.On && (t.CA != "" || t.Insecure):
		return nil, errors.New("it is told how to verify certificates, but not to use TLS")
	case !t.On:
		return nil, nil //nolint:nilnil // plain text
	case t.CA != "" && t.Insecure:
		return nil, errors.New("authorities are given, and verifying is switched off: only one of both is possible")
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: t.Insecure} //nolint:gosec // if somebody asks for it by that name
	if t.CA == "" {
		return config, nil
	}
	text, err := os.ReadFile(t.CA)
	if err != nil {
		return nil, err
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", t.CA)
	}
	return config, nil
}

// tlsConfigs are those of both sides.
func (c Config) tlsConfigs() (both [2]*tls.Config, err error) {
	for on, t := range [2]TLS{c.SourceTLS, c.TargetTLS} {
		if both[on], err = t.config(); err != nil {
			return both, fmt.Errorf("gateway: TLS to the %s: %w", side(on), err)
		}
	}
	return both, nil
}

// certificate is what clients over TLS are shown, read again when its files change.
type certificate struct {
	file, key string

	mu     sync.Mutex
	files  [2]os.FileInfo // as they were when they were last read
	now    *tls.Certificate
	failed error // why what was last read isn't used
}

// given reports whether there is one.
func (c *certificate) given() bool { return c.file != "" || c.key != "" }

// current is the certificate as its files have it; if these are wrong, maybe because they are just being replaced, the last one that was right.
func (c *certificate) current() (now *tls.Certificate, failed error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var files [2]os.FileInfo
	for i, name := range [2]string{c.file, c.key} {
		info, err := os.Stat(name)
		if err != nil {
			c.failed = fmt.Errorf("certificate for clients: %w", err)
			return c.now, c.failed
		}
		files[i] = info
	}
	if c.now != nil && same(files[0], c.files[0]) && same(files[1], c.files[1]) {
		return c.now, c.failed
	}
	read, err := tls.LoadX509KeyPair(c.file, c.key)
	if err != nil {
		c.failed = fmt.Errorf("certificate for clients in %s with the key in %s: %w", c.file, c.key, err)
		return c.now, c.failed
	}
	c.now, c.files, c.failed = &read, files, nil
	return c.now, nil
}

func same(a, b os.FileInfo) bool { return a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() }

// entry tells clients over TLS from others, at the same port.
type entry struct {
	certificate certificate
	config      *tls.Config // nil: clients over TLS are refused
	refusals    rarely
	failures    rarely
}

// open begins to take clients.
func (e *entry) open(log *slog.Logger) error {
	if !e.certificate.given() {
		return nil
	}
	if _, err := e.certificate.current(); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	e.config = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		now, failed := e.certificate.current()
		if failed != nil && e.failures.due() {
			log.Warn("the certificate for clients stays as it was", "cause", failed)
		}
		return now, nil
	}}
	return nil
}

const (
	// tlsHandshake is the first byte of every client over TLS (RFC 8446, 5.1). In plain text it would begin a frame of 369 MB, which no peer reads
	// (TlsModeHandler of RocketMQ tells them apart in the same way).
	tlsHandshake = 0x16
	// handshakeTime bounds a handshake, of which a client has nothing else to do.
	handshakeTime = 10 * time.Second
)

var errHandshake = errors.New("TLS handshake")

var errNoCertificate = errors.New("a client over TLS, and the gateway has no certificate: give it one with --tls-cert and --tls-key, or switch TLS off at the client")

// admit waits for a client's first byte, and for the handshake of one over TLS. It returns the connection to go on with, and what was read of it.
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

// halfClose says that nothing more comes, and leaves the other direction open; false if that isn't possible.
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
	mu  sync.Mutex
	all map[T]*rarely
}

// mostEach bounds of how many things it is known when something was said of them last.
const mostEach = 10_000

func (e *each[T]) due(of T) bool {
	e.mu.Lock()
	if e.all == nil || len(e.all) > mostEach {
		e.all = map[T]*rarely{}
	}
	if e.all[of] == nil {
		e.all[of] = &rarely{}
	}
	one := e.all[of]
	e.mu.Unlock()
	return one.due()
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
