package socket

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pair is both ends of a connection over loopback, the first of them quick.
func pair(tb testing.TB) (here net.Conn, there *net.TCPConn) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	defer l.Close()
	dialled, err := net.Dial("tcp", l.Addr().String())
	require.NoError(tb, err)
	accepted, err := l.Accept()
	require.NoError(tb, err)
	here, there = Quick(dialled), accepted.(*net.TCPConn)
	tb.Cleanup(func() { _, _ = here.Close(), there.Close() })
	return here, there
}

// TestWhatIsWrittenArrives writes pieces of all sizes to a peer that sends them back, and reads
// with buffers of all sizes.
func TestWhatIsWrittenArrives(t *testing.T) {
	here, there := pair(t)
	go func() { // the peer sends back what it gets
		_, _ = io.Copy(struct{ io.Writer }{there}, struct{ io.Reader }{there})
		_ = there.CloseWrite()
	}()
	random := rand.New(rand.NewPCG(1, 2))
	var sent bytes.Buffer
	piece := func() []byte {
		sizes := []int{0, 1, 100, 5000, 60_000, 200_000}
		b := make([]byte, random.IntN(sizes[random.IntN(len(sizes))]+1))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		sent.Write(b)
		return b
	}
	sizes := rand.New(rand.NewPCG(3, 4))
	got := make(chan []byte, 1)
	go func() {
		var all bytes.Buffer
		for {
			b := make([]byte, 1+sizes.IntN(100_000))
			n, err := here.Read(b)
			all.Write(b[:n])
			if err != nil {
				assert.Equal(t, io.EOF, err)
				got <- all.Bytes()
				return
			}
		}
	}()
	for range 200 {
		if random.IntN(2) == 0 {
			b := piece()
			n, err := here.Write(b)
			require.NoError(t, err)
			require.Equal(t, len(b), n)
			continue
		}
		var pieces net.Buffers
		for range random.IntN(6) {
			pieces = append(pieces, piece())
		}
		require.NoError(t, WriteAll(here, &pieces))
	}
	var many net.Buffers
	for range 3000 { // more than one call takes
		many = append(many, []byte{byte(len(many))})
		sent.WriteByte(byte(len(many) - 1))
	}
	require.NoError(t, WriteAll(here, &many))
	require.NoError(t, here.(interface{ CloseWrite() error }).CloseWrite())
	select {
	case all := <-got:
		require.True(t, bytes.Equal(sent.Bytes(), all), "%d bytes were sent, and %d others came back",
			sent.Len(), len(all))
	case <-time.After(2 * time.Minute):
		t.Fatal("what was sent hasn't come back")
	}
}

func TestADeadlinePasses(t *testing.T) {
	here, _ := pair(t)
	require.NoError(t, here.SetDeadline(time.Now().Add(20*time.Millisecond)))
	_, err := here.Read(make([]byte, 10))
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	assert.ErrorContains(t, err, "read tcp")
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	assert.True(t, timeout.Timeout())
}

// TestWritesOfPartsOfPieces: the peer's memory is full, so that a call writes what just fits.
func TestWritesOfPartsOfPieces(t *testing.T) {
	here, there := pair(t)
	b := make([]byte, 3*20_011)
	for i := range b {
		b[i] = byte(i % 251)
	}
	var sent bytes.Buffer
	for { // until one finds no room for so long
		require.NoError(t, here.SetWriteDeadline(time.Now().Add(500*time.Millisecond)))
		n, err := here.Write(b)
		sent.Write(b[:n])
		if err != nil {
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			require.ErrorContains(t, err, "write tcp")
			break
		}
	}
	require.NoError(t, here.SetWriteDeadline(time.Time{}), "and it goes on")
	const more = 100
	go func() {
		for range more {
			assert.NoError(t, WriteAll(here, &net.Buffers{b[:20_011], b[20_011 : 2*20_011], nil, b[2*20_011:]}))
		}
		_ = here.Close()
	}()
	for range more {
		sent.Write(b)
	}
	require.NoError(t, there.SetReadDeadline(time.Now().Add(2*time.Minute)))
	all, err := io.ReadAll(iotest.HalfReader(there)) // slowly, by small steps
	require.NoError(t, err)
	require.True(t, bytes.Equal(sent.Bytes(), all), "%d bytes were sent, and %d others came", sent.Len(), len(all))
}

func TestTheEndOfAConnection(t *testing.T) {
	t.Run("the peer's", func(t *testing.T) {
		here, there := pair(t)
		require.NoError(t, there.CloseWrite())
		_, err := here.Read(make([]byte, 10))
		require.Equal(t, io.EOF, err)
		_, err = here.Write([]byte("and still writes"))
		require.NoError(t, err)
	})
	t.Run("by a reset", func(t *testing.T) {
		here, there := pair(t)
		require.NoError(t, there.SetLinger(0))
		require.NoError(t, there.Close())
		_, err := here.Read(make([]byte, 10))
		var op *net.OpError
		require.ErrorAs(t, err, &op)
		assert.ErrorContains(t, err, "connection reset by peer")
		_, err = here.Write([]byte("nobody reads"))
		assert.Error(t, err)
	})
	t.Run("its own, while somebody reads", func(t *testing.T) {
		here, _ := pair(t)
		failed := make(chan error, 1)
		go func() {
			_, err := here.Read(make([]byte, 10))
			failed <- err
		}()
		require.NoError(t, here.Close())
		select {
		case err := <-failed:
			assert.ErrorIs(t, err, net.ErrClosed)
		case <-time.After(time.Minute):
			t.Fatal("the read goes on")
		}
		_, err := here.Write([]byte("closed"))
		assert.ErrorIs(t, err, net.ErrClosed)
		_, err = here.Read(make([]byte, 10))
		assert.ErrorIs(t, err, net.ErrClosed)
	})
}

func TestOtherConnectionsStayAsTheyAre(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	require.Same(t, here, Quick(here))
	go func() { _ = WriteAll(here, &net.Buffers{[]byte("in "), []byte("pieces")}); _ = here.Close() }()
	all, err := io.ReadAll(there)
	require.NoError(t, err)
	require.Equal(t, "in pieces", string(all))
	require.Error(t, here.SetDeadline(time.Now()), "it is closed")
}

// TestNothingIsGarbage: a gateway makes these calls for each message.
func TestNothingIsGarbage(t *testing.T) {
	here, there := pair(t)
	go func() { _, _ = io.Copy(struct{ io.Writer }{there}, struct{ io.Reader }{there}) }()
	b := make([]byte, 1000)
	kept := make(net.Buffers, 2)
	pieces := &net.Buffers{}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		kept[0], kept[1] = b[:500], b[500:]
		*pieces = kept
		if WriteAll(here, pieces) != nil {
			t.Fatal("can't write")
		}
		if _, err := io.ReadFull(here, b); err != nil {
			t.Fatal(err)
		}
	}))
}
