package certificates

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/certificates/certificatestest"
)

// authority is a certificate of its own, in files.
type authority struct{ file, key string }

// newAuthority writes a certificate for this machine, which signs itself.
func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	a := authority{filepath.Join(t.TempDir(), name+".crt"), filepath.Join(t.TempDir(), name+".key")}
	a.write(t, name)
	return a
}

func (a authority) write(t *testing.T, name string) {
	t.Helper()
	certificatestest.Write(t, a.file, a.key, name, rand.Int64())
}

func (a authority) copyTo(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(a.file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, text, 0o600))
}

// talk makes a connection between both, and returns what the client and the server say of it.
func talk(t *testing.T, server *tls.Config, client Client) (atClient, atServer error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	served := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			defer conn.Close()
			secure := tls.Server(conn, server)
			if err = secure.HandshakeContext(context.Background()); err == nil {
				_, err = secure.Write([]byte("x"))
			}
		}
		served <- err
	}()
	config, err := client.Config()
	require.NoError(t, err)
	config.ServerName = "127.0.0.1"
	raw, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer raw.Close()
	secure := tls.Client(raw, config)
	// A client of TLS 1.3 learns that its certificate isn't taken when it reads.
	if atClient = secure.HandshakeContext(context.Background()); atClient == nil {
		_, atClient = secure.Read(make([]byte, 1))
	}
	return atClient, <-served
}

func TestAnAuthorityIsKnownAsSoonAsItsFileHasIt(t *testing.T) {
	old, next := newAuthority(t, "old"), newAuthority(t, "next")
	file := filepath.Join(t.TempDir(), "ca.pem")
	old.copyTo(t, file)
	known := Client{Authorities: NewAuthorities("authorities of the source", file)}
	var said []string
	known.Authorities.Failed = func(err error) { said = append(said, err.Error()) }
	ofOld := Server(NewPair("certificate", old.file, old.key), nil)
	ofNext := Server(NewPair("certificate", next.file, next.key), nil)
	var unknown x509.UnknownAuthorityError

	atClient, _ := talk(t, ofOld, known)
	require.NoError(t, atClient)
	atClient, _ = talk(t, ofNext, known)
	require.ErrorAs(t, atClient, &unknown)

	require.NoError(t, os.WriteFile(file, []byte("half of a"), 0o600))
	for range 3 {
		atClient, _ = talk(t, ofOld, known)
		require.NoError(t, atClient, "what can't be read leaves what was known")
	}
	require.Len(t, said, 1, "it is said once")
	assert.Contains(t, said[0], "authorities of the source: "+file+" holds no certificate")
	require.NoError(t, os.Remove(file))
	atClient, _ = talk(t, ofOld, known)
	require.NoError(t, atClient, "as does a file that isn't there")
	require.Len(t, said, 2)

	next.copyTo(t, file)
	atClient, _ = talk(t, ofNext, known)
	require.NoError(t, atClient)
	atClient, _ = talk(t, ofOld, known)
	require.ErrorAs(t, atClient, &unknown, "the old one isn't known any more")
}

func TestClientsMustShowACertificateThatTheAuthoritySigned(t *testing.T) {
	server, friend, stranger := newAuthority(t, "server"), newAuthority(t, "friend"), newAuthority(t,
		"stranger")
	file := filepath.Join(t.TempDir(), "clients.pem")
	friend.copyTo(t, file)
	config := Server(NewPair("certificate", server.file, server.key),
		NewAuthorities("authorities of clients", file))
	as := func(a *authority) Client {
		c := Client{Authorities: NewAuthorities("authorities", server.file)}
		if a != nil {
			c.Own = NewPair("certificate of the client", a.file, a.key)
		}
		return c
	}
	_, atServer := talk(t, config, as(nil))
	require.ErrorContains(t, atServer, "didn't provide a certificate")
	atClient, atServer := talk(t, config, as(&stranger))
	require.Error(t, atServer)
	require.Error(t, atClient)
	atClient, atServer = talk(t, config, as(&friend))
	require.NoError(t, errors.Join(atClient, atServer))

	stranger.copyTo(t, file)
	atClient, atServer = talk(t, config, as(&stranger))
	require.NoError(t, errors.Join(atClient, atServer))
	_, atServer = talk(t, config, as(&friend))
	require.Error(t, atServer)
}

func TestOldVersionsOfTLSAreRefused(t *testing.T) {
	a := newAuthority(t, "server")
	listener, err := tls.Listen("tcp", "127.0.0.1:0", Server(NewPair("certificate", a.file, a.key),
		nil))
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_ = conn.(*tls.Conn).HandshakeContext(context.Background())
			_ = conn.Close()
		}
	}()
	old := &tls.Config{
		InsecureSkipVerify: true, MinVersion: tls.VersionTLS10,
		MaxVersion: tls.VersionTLS11,
	}
	_, err = tls.Dial("tcp", listener.Addr().String(), old)
	require.ErrorContains(t, err, "protocol version")
}

func TestWithoutAuthoritiesThatCanBeReadNobodyIsKnown(t *testing.T) {
	a := newAuthority(t, "server")
	none := NewAuthorities("authorities", filepath.Join(t.TempDir(), "none.pem"))
	_, err := Client{Authorities: none}.Config()
	require.ErrorContains(t, err, "authorities: stat ")
	config := Server(NewPair("certificate", a.file, a.key), none)
	_, err = config.GetConfigForClient(nil)
	require.ErrorContains(t, err, "authorities: stat ")
}

// Clients of the data path come back often, all at once after a restart. Who has to show a
// certificate shows it each time: its authority may not be known any more.
func TestClientsResumeTheirSessionsWhereTheyNeedNoCertificate(t *testing.T) {
	a, friend := newAuthority(t, "server"), newAuthority(t, "friend")
	own := NewPair("certificate", a.file, a.key)
	assert.True(t, resumes(t, Server(own, nil), nil))
	shows, err := tls.LoadX509KeyPair(friend.file, friend.key)
	require.NoError(t, err)
	known := NewAuthorities("authorities of clients", friend.file)
	assert.False(t, resumes(t, Server(own, known), []tls.Certificate{shows}))
}

// resumes reports whether a client that comes back resumes its session.
func resumes(t *testing.T, server *tls.Config, shows []tls.Certificate) (resumed bool) {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", server)
	require.NoError(t, err)
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("x"))
			_ = conn.Close()
		}
	}()
	client := &tls.Config{
		InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1), Certificates: shows,
	}
	for range 2 {
		conn, err := tls.Dial("tcp", listener.Addr().String(), client)
		require.NoError(t, err)
		_, err = conn.Read(make([]byte, 1)) // with which the ticket comes
		require.NoError(t, err)
		resumed = conn.ConnectionState().DidResume
		require.NoError(t, conn.Close())
	}
	return resumed
}
