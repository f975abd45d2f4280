package connections

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"rocketshift/internal/certificates"
	"rocketshift/internal/gateway/logs"
)

// Entry tells clients over TLS from others, at the same port.
type Entry struct {
	certificate *certificates.Files[tls.Certificate] // nil: clients over TLS are refused
	config      *tls.Config
	Refusals    logs.Rarely
}

// EntryWith is one with the certificate in these files; without, if there are none.
func EntryWith(certificate, key string) Entry {
	if certificate == "" && key == "" {
		return Entry{}
	}
	return Entry{certificate: certificates.NewPair("certificate for clients", certificate, key)}
}

// Open begins to take clients.
func (e *Entry) Open(log *slog.Logger) error {
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

// ErrHandshake is the cause of errors about TLS handshakes that failed.
var ErrHandshake = errors.New("TLS handshake")

// ErrNoCertificate refuses clients over TLS where the gateway has no certificate.
var ErrNoCertificate = errors.New(
	"a client over TLS, and the gateway has no certificate: give it one with --tls-cert and --tls-key, or " +
		"switch TLS off at the client",
)

// Admit waits for a client's first byte, and for the handshake of one over TLS. It returns the
// connection to go on with, and what was read of it.
func (e *Entry) Admit(ctx context.Context, raw net.Conn) (conn net.Conn, first []byte, err error) {
	first = make([]byte, 1)
	if _, err = (&Watched{Conn: raw, Begun: new(atomic.Bool)}).Read(first); err != nil || first[0] != tlsHandshake {
		return raw, first, err
	}
	if e.config == nil {
		return nil, nil, ErrNoCertificate
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	_ = raw.SetReadDeadline(time.Time{}) // the context's counts
	secure := tls.Server(&begun{Conn: raw, first: first}, e.config)
	if err = secure.HandshakeContext(ctx); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrHandshake, err)
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

// Bare is the connection that one over TLS lies on.
func Bare(conn net.Conn) net.Conn {
	if secure, ok := conn.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return conn
}

// HalfClose says that nothing more comes, and leaves the other direction open; false if that isn't
// possible.
func HalfClose(conn net.Conn) bool {
	if secure, ok := conn.(*tls.Conn); ok {
		_ = secure.CloseWrite() // the peer may take that as a word only, and wait for the connection's own end
		conn = secure.NetConn()
	}
	half, ok := conn.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}
