package connections

import (
	"bufio"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/certificates/certificatestest"
)

// awaited is how long tests wait for what must come.
const awaited = 30 * time.Second

// door is a listener whose clients are admitted; each is sent back its first line.
type door struct {
	*testing.T
	entry *Entry
	addr  string
	errs  chan error
}

func openDoor(t *testing.T, e *Entry) *door {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	d := &door{T: t, entry: e, addr: listener.Addr().String(), errs: make(chan error, 10)}
	require.NoError(t, d.entry.Open(slog.New(slog.DiscardHandler)))
	t.Cleanup(func() {
		stop()
		_ = listener.Close()
	})
	go func() {
		for {
			raw, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer raw.Close()
				conn, first, err := d.entry.Admit(ctx, raw)
				if err != nil {
					d.errs <- err
					return
				}
				line, _ := bufio.NewReader(&begun{Conn: conn, first: first}).ReadString('\n')
				_, _ = conn.Write([]byte(line))
				HalfClose(conn)
			}()
		}
	}()
	return d
}

func (d *door) dial() net.Conn {
	d.Helper()
	conn, err := net.Dial("tcp", d.addr)
	require.NoError(d, err)
	d.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(awaited))
	return conn
}

// echoes wants the line back over a connection, and its end behind that.
func (d *door) echoes(conn net.Conn) {
	d.Helper()
	_, err := conn.Write([]byte("a line\n"))
	require.NoError(d, err)
	in := bufio.NewReader(conn)
	line, err := in.ReadString('\n')
	require.NoError(d, err)
	require.Equal(d, "a line\n", line)
	_, err = in.ReadByte()
	require.Error(d, err)
}

func TestPlainClientsAndThoseOverTLSUseOnePortAndWaitForNobody(t *testing.T) {
	dir := t.TempDir()
	file, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	certificatestest.Write(t, file, key, "gateway", 1)
	e := EntryWith(file, key)
	d := openDoor(t, &e)
	d.dial() // one that says nothing
	stuck := d.dial()
	_, err := stuck.Write([]byte{tlsHandshake, 3, 1})
	require.NoError(t, err)
	garbage := d.dial()
	_, err = garbage.Write(append([]byte{tlsHandshake}, make([]byte, 64)...))
	require.NoError(t, err)
	require.ErrorIs(t, <-d.errs, ErrHandshake)

	serial := func() int64 {
		secure := tls.Client(d.dial(), &tls.Config{InsecureSkipVerify: true})
		d.echoes(secure)
		return secure.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	d.echoes(d.dial())
	require.EqualValues(t, 1, serial())
	require.NoError(t, os.WriteFile(file, []byte("half of a"), 0o600))
	require.EqualValues(t, 1, serial(), "a file that can't be read changes nothing")
	certificatestest.Write(t, file, key, "gateway", 22)
	require.EqualValues(t, 22, serial(), "another certificate is used as soon as it is there")
}

func TestAHandshakeThatNobodyFinishesEnds(t *testing.T) {
	dir := t.TempDir()
	file, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	certificatestest.Write(t, file, key, "gateway", 1)
	e := EntryWith(file, key)
	require.NoError(t, e.Open(slog.New(slog.DiscardHandler)))
	here, there := net.Pipe()
	t.Cleanup(func() { _ = there.Close() })
	go func() { _, _ = there.Write([]byte{tlsHandshake}) }()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, _, err := e.Admit(ctx, here)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestClientsOverTLSAreRefusedWithoutACertificate(t *testing.T) {
	d := openDoor(t, &Entry{})
	secure := tls.Client(d.dial(), &tls.Config{InsecureSkipVerify: true})
	require.Error(t, secure.Handshake())
	require.ErrorIs(t, <-d.errs, ErrNoCertificate)
	d.echoes(d.dial())
}

func TestAnAuthorityOfASideIsKnownAsSoonAsItsFileHasIt(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	certificatestest.Write(t, file("old.crt"), file("old.key"), "gateway", 1)
	certificatestest.Write(t, file("new.crt"), file("new.key"), "gateway", 22)
	knows := func(name string) {
		text, err := os.ReadFile(file(name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file("ca.pem"), text, 0o600))
	}
	knows("old.crt")
	known, err := TLS{On: true, CA: file("ca.pem")}.Client("target", func(error) {})
	require.NoError(t, err)
	before, after := EntryWith(file("old.crt"), file("old.key")), EntryWith(file("new.crt"),
		file("new.key"))
	old, next := openDoor(t, &before), openDoor(t, &after)
	dial := func(d *door) error {
		conn, err := DialerOf(*known)(t.Context(), d.addr)
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	require.NoError(t, dial(old))
	require.ErrorContains(t, dial(next), "unknown authority")
	knows("new.crt")
	require.NoError(t, dial(next))
	require.NoError(t, os.WriteFile(file("ca.pem"), []byte("half of a"), 0o600))
	require.NoError(t, dial(next), "a file that can't be read changes nothing")
}
