//go:build linux

package keeper

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// patience bounds what is waited for: machines that run tests may be busy.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	if Asked(os.Args) {
		os.Exit(Main(os.Args))
	}
	os.Exit(m.Run())
}

// kept is a connection with a keeper.
type kept struct {
	*testing.T
	path        string
	keeper      *Keeper
	here, there net.Conn
	track       *Track
}

func newKept(t *testing.T, wait time.Duration) *kept {
	t.Helper()
	k := &kept{T: t, path: filepath.Join(t.TempDir(), "keeper")}
	var err error
	k.keeper, err = Start(Options{Path: k.path, Slots: 4, Wait: wait, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(k.keeper.End)
	k.here, k.there = k.connect()
	k.track = k.keeper.Keep(k.here, about, 0)
	require.NotNil(t, k.track)
	return k
}

var about = About{Broker: "broker-a", VIP: true, Frames: 7, Pushes: -5, Beat: 1 << 63}

func (k *kept) connect() (here, there net.Conn) {
	k.Helper()
	at, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(k, err)
	defer at.Close()
	there, err = net.Dial("tcp", at.Addr().String())
	require.NoError(k, err)
	here, err = at.Accept()
	require.NoError(k, err)
	k.Cleanup(func() {
		_ = here.Close()
		_ = there.Close()
	})
	return Wrap(here), there
}

// comes has the client send so many bytes, and the gateway read them.
func (k *kept) comes(n int) {
	k.Helper()
	_, err := k.there.Write(make([]byte, n))
	require.NoError(k, err)
	_, err = io.ReadFull(k.here, make([]byte, n))
	require.NoError(k, err)
}

func (k *kept) goes(n int) {
	k.Helper()
	_, err := k.here.Write(make([]byte, n))
	require.NoError(k, err)
}

// dies leaves the keeper as it is when the gateway is killed.
func (k *kept) dies() {
	k.Helper()
	require.Eventually(k, func() bool {
		k.keeper.mu.Lock()
		defer k.keeper.mu.Unlock()
		return len(k.keeper.tell) == 0
	}, patience, time.Millisecond)
	k.keeper.mu.Lock()
	defer k.keeper.mu.Unlock()
	_ = k.keeper.line.CloseWrite()
	k.keeper.line = nil // nothing is said any more
}

func (k *kept) take() *Taken {
	k.Helper()
	taken, err := Take(k.path)
	require.NoError(k, err)
	k.Cleanup(taken.Close)
	return taken
}

// Whether a connection goes on is told by what the gateway had noted, and by what the kernel has
// counted.
func TestOnlyConnectionsBetweenFramesGoOn(t *testing.T) {
	pull := Call{Opaque: -3, Pull: true, Binary: true, Offset: 1 << 40}
	for name, c := range map[string]struct {
		does func(*kept)
		why  string
	}{
		"nothing":                    {func(*kept) {}, ""},
		"a frame that isn't read":    {func(k *kept) { _, _ = k.there.Write(make([]byte, 9)) }, ""},
		"a frame that was handled":   {func(k *kept) { k.comes(9); k.track.Handled(9, 8) }, ""},
		"a frame that wasn't":        {func(k *kept) { k.comes(9) }, reading},
		"half a frame behind it":     {func(k *kept) { k.comes(12); k.track.Handled(9, 8) }, reading},
		"an answer":                  {func(k *kept) { k.goes(5); k.track.Wrote(5, nil) }, ""},
		"an answer, nothing noted":   {func(k *kept) { k.goes(5) }, writing},
		"noted, and half written":    {func(k *kept) { k.goes(3); k.track.Wrote(5, nil) }, writing},
		"a pull that waits":          {func(k *kept) { k.track.Asks(pull) }, ""},
		"a send that waits":          {func(k *kept) { k.track.Asks(Call{Opaque: 1}) }, waiting},
		"a send that was answered":   {func(k *kept) { asks(k, 1, Call{Opaque: 1}); k.answers(1) }, ""},
		"another one was":            {func(k *kept) { asks(k, 1, Call{Opaque: 1}); k.answers(2) }, waiting},
		"something was lost":         {func(k *kept) { k.track.Failed() }, failed},
		"the client has closed":      {func(k *kept) { _ = k.there.Close() }, clientGone},
		"the client writes no more":  {func(k *kept) { _ = k.there.(*net.TCPConn).CloseWrite() }, clientGone},
		"the client has reset":       {func(k *kept) { k.resets() }, clientGone},
		"many pulls":                 {func(k *kept) { asks(k, mostCalls, pull) }, ""},
		"too many pulls":             {func(k *kept) { asks(k, mostCalls+1, pull) }, crowded},
		"one of these was answered":  {func(k *kept) { asks(k, mostCalls+1, pull); k.track.Wrote(0, []int32{99}) }, ""},
		"a send of two minutes ago":  {func(k *kept) { k.past(121); k.track.Asks(Call{Opaque: 1}) }, ""},
		"a send of a minute ago":     {func(k *kept) { k.past(60); k.track.Asks(Call{Opaque: 1}) }, waiting},
		"many, two minutes ago":      {func(k *kept) { k.past(121); asks(k, mostCalls+9, Call{}) }, ""},
		"old ones make room for new": {func(k *kept) { k.fills(); asks(k, 1, pull) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKept(t, patience)
			c.does(k)
			k.dies()
			taken := k.take()
			require.NotNil(t, taken)
			if c.why != "" {
				assert.Equal(t, map[string]int{c.why: 1}, taken.Closed)
				require.Empty(t, taken.Found)
				return
			}
			assert.Empty(t, taken.Closed)
			require.Len(t, taken.Found, 1)
			got := taken.Found[0].About
			if len(got.Calls) > 0 {
				assert.Equal(t, pull, got.Calls[0])
			}
			got.Calls = nil
			want := about
			want.Frames = got.Frames
			assert.Equal(t, want, got)
		})
	}
}

// answers has the gateway answer a call.
func (k *kept) answers(opaque int32) {
	k.Helper()
	k.goes(2)
	k.track.Wrote(2, []int32{opaque})
}

// fills has as many calls open as there is room for, all of two minutes ago.
func (k *kept) fills() {
	k.Helper()
	k.past(121)
	asks(k, mostCalls, Call{})
	k.past(0)
}

func (k *kept) resets() {
	k.Helper()
	require.NoError(k, k.there.(*net.TCPConn).SetLinger(0))
	require.NoError(k, k.there.Close())
}

func asks(k *kept, n int, c Call) {
	for range n {
		k.track.Asks(c)
	}
}

// past has the gateway's clock be behind by so many seconds.
func (k *kept) past(by uint64) { k.keeper.now.Store(seconds() - by) }

// A connection that goes on is the same one: what the client had written is read, and what is
// written it reads.
func TestAConnectionGoesOn(t *testing.T) {
	k := newKept(t, patience)
	_, err := k.there.Write([]byte("request"))
	require.NoError(t, err)
	k.dies()
	taken := k.take()
	require.Len(t, taken.Found, 1)
	assert.Equal(t, len("request"), taken.Found[0].Unread)
	assert.Positive(t, taken.Away)
	conn := Wrap(taken.Found[0].Conn)
	got := make([]byte, 7)
	_, err = io.ReadFull(conn, got)
	require.NoError(t, err)
	assert.Equal(t, "request", string(got))
	_, err = conn.Write([]byte("answer!"))
	require.NoError(t, err)
	_, err = io.ReadFull(k.there, got)
	require.NoError(t, err)
	assert.Equal(t, "answer!", string(got))

	next, err := Start(Options{Path: k.path, Slots: 1, Wait: patience, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer next.End()
	require.NotNil(t, next.Keep(conn, taken.Found[0].About, 0), "the next keeper has it")
	other, _ := k.connect()
	assert.Nil(t, next.Keep(other, about, 0), "there is room for one")
	_ = k.here.Close() // this process has played both parts
	require.NoError(t, conn.Close())
	_, err = k.there.Read(got)
	require.Error(t, err, "it ends when the gateway ends it")
	assert.NotNil(t, next.Keep(other, about, 0), "which makes room")
}

// The client sees at once that the gateway ends its connection, or that it can't go on.
func TestTheKeeperHoldsNothingBack(t *testing.T) {
	t.Run("the gateway ends it", func(t *testing.T) {
		k := newKept(t, patience)
		require.NoError(t, k.here.Close())
		k.ends()
		k.dies()
		taken := k.take()
		assert.Empty(t, taken.Found)
		assert.Empty(t, taken.Closed)
	})
	t.Run("it can't go on", func(t *testing.T) {
		k := newKept(t, patience)
		k.track.Asks(Call{Opaque: 1})
		k.dies()
		_ = Bare(k.here).Close()
		k.ends()
	})
	t.Run("nobody comes", func(t *testing.T) {
		k := newKept(t, 300*time.Millisecond)
		k.dies()
		_ = Bare(k.here).Close()
		k.ends()
	})
	t.Run("the gateway ends in good order", func(t *testing.T) {
		k := newKept(t, patience)
		k.keeper.End()
		_ = k.here.Close()
		k.ends()
		assert.Nil(t, k.take())
		assert.Nil(t, k.keeper.Keep(k.here, about, 0))
		k.track.Handled(1, 1) // whoever still has it does no harm
	})
}

// ends wants the client to see the end of its connection.
func (k *kept) ends() {
	k.Helper()
	_ = k.there.SetReadDeadline(time.Now().Add(patience))
	_, err := k.there.Read(make([]byte, 1))
	require.ErrorIs(k, err, io.EOF)
}

// A keeper that dies is replaced, and the next one has everything.
func TestAKeeperThatDiesIsReplaced(t *testing.T) {
	k := newKept(t, patience)
	k.keeper.mu.Lock()
	was := k.keeper.process
	k.keeper.mu.Unlock()
	require.Eventually(t, k.keeper.began.Load, patience, time.Millisecond)
	require.NoError(t, was.Process.Kill())
	require.Eventually(t, func() bool {
		k.keeper.mu.Lock()
		defer k.keeper.mu.Unlock()
		return k.keeper.process != was
	}, patience, time.Millisecond)
	k.comes(3)
	k.track.Handled(3, 8)
	k.dies()
	assert.Len(t, k.take().Found, 1)
}

// A program that is no keeper is started once, and the gateway serves without.
func TestAProgramThatIsNoKeeperIsStartedOnce(t *testing.T) {
	self = "/bin/false"
	defer func() { self = "/proc/self/exe" }()
	var log strings.Builder
	said := make(chan struct{})
	k, err := Start(Options{
		Path: filepath.Join(t.TempDir(), "keeper"), Slots: 1, Wait: patience,
		Log: slog.New(slog.NewTextHandler(writerFunc(func(b []byte) (int, error) {
			defer close(said)
			return log.Write(b)
		}), nil)),
	})
	require.NoError(t, err)
	<-said
	assert.Contains(t, log.String(), "no keeper of connections can be started")
	k.End()
}

// Such a program starts none itself, as its tests may: that would never end.
func TestAKeeperStartsNoKeeper(t *testing.T) {
	before := os.Args
	os.Args = []string{before[0], Argument, "1s"}
	defer func() { os.Args = before }()
	_, err := Start(Options{Path: filepath.Join(t.TempDir(), "keeper"), Slots: 1})
	require.ErrorIs(t, err, errIsKeeper)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// A slot is said to be another connection's before the keeper is: then that one is the only one
// that goes on.
func TestASlotThatIsUsedAgainIsTheNextOnes(t *testing.T) {
	k := newKept(t, patience)
	for range 20 {
		require.NoError(t, k.here.Close())
		k.here, k.there = k.connect()
		next := k.keeper.Keep(k.here, about, 0)
		require.NotNil(t, next)
		k.track.Wrote(7, nil) // of before
		k.track.Failed()
		k.track = next
	}
	k.comes(1)
	k.track.Handled(1, 1)
	k.dies()
	taken := k.take()
	assert.Empty(t, taken.Closed)
	require.Len(t, taken.Found, 1)
	assert.Equal(t, k.here.RemoteAddr().String(), taken.Found[0].Conn.RemoteAddr().String())
}

// A gateway may be killed before it has read that its keeper is there. The system then tells the
// keeper of a reset first, and what the gateway had said comes behind that.
func TestWhatAGatewaySaidBeforeAResetIsHeard(t *testing.T) {
	memory, err := unix.MemfdCreate("notes", unix.MFD_CLOEXEC)
	require.NoError(t, err)
	defer unix.Close(memory)
	require.NoError(t, unix.Ftruncate(memory, slotBytes))
	shared, err := mapped(memory)
	require.NoError(t, err)
	defer shared.unmap()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	lines := [2]*net.UnixConn{}
	for i, fd := range pair {
		file := os.NewFile(uintptr(fd), "line")
		line, err := net.FileConn(file)
		require.NoError(t, err)
		require.NoError(t, file.Close())
		defer line.Close()
		lines[i] = line.(*net.UnixConn)
	}
	gateway, keeper := lines[0], lines[1]
	require.NoError(t, say(keeper, []byte{hereWord}))
	require.NoError(t, say(gateway, place{0, 7}.appendTo([]byte{holdWord}), memory)) // any descriptor will do
	require.NoError(t, gateway.Close())

	h := &holder{memory: shared, held: map[uint32]heldConnection{}, closed: map[string]int{}}
	assert.False(t, h.follow(keeper), "nobody said that it ends")
	require.Contains(t, h.held, uint32(0))
	assert.EqualValues(t, 7, h.held[0].number)
	closeAll([]int{h.held[0].fd})
}

// Who starts the program as a keeper by hand is told that this isn't for people.
func TestAKeeperIsntStartedByHand(t *testing.T) {
	for _, arguments := range [][]string{{Argument}, {Argument, "soon"}, {Argument, "1s"}} {
		out, err := exec.Command(os.Args[0], arguments...).CombinedOutput()
		require.Error(t, err)
		assert.Contains(t, string(out), "by the gateway alone")
	}
}

// What is noted of a request and its answer, which is all that keeping costs for each.
func BenchmarkNotes(b *testing.B) {
	for _, open := range []int{0, 16, mostCalls - 1} {
		b.Run(fmt.Sprint(open, " open"), func(b *testing.B) {
			memory := make(region, slotWords)
			t := &Track{keeper: &Keeper{}, slot: memory.slot(0)}
			t.begin(about, 0, 0)
			for i := range open {
				t.Asks(Call{Opaque: int32(i)})
			}
			answers := []int32{1 << 20}
			b.ReportAllocs()
			for n := int64(0); b.Loop(); n++ {
				t.Asks(Call{Opaque: 1 << 20, Pull: true, Offset: n})
				t.Handled(n, n)
				t.Wrote(100, answers)
			}
		})
	}
}
