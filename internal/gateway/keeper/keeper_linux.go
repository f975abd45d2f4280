package keeper

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// endTime is how long the keeper may take to end.
	endTime = time.Second
	// againPause is before the next keeper is started, when one has ended by itself; it doubles.
	againPause, longestPause = time.Second, time.Minute
	clockPause               = time.Second
)

// errIsKeeper is why a keeper starts none.
var errIsKeeper = errors.New("keeper: this process was started as one")

// self is this program, also when its file was replaced since it began.
var self = "/proc/self/exe"

// Keeper is the gateway's side of it.
type Keeper struct {
	options Options
	memory  region
	file    *os.File // which that is
	at      *os.File // where the next process asks
	now     atomic.Uint64
	over    chan struct{} // closed when nothing is kept any more
	ended   chan struct{} // closed when no keeper is left
	began   atomic.Bool   // a keeper has begun

	mu      sync.Mutex
	more    sync.Cond
	all     map[*Track]bool
	free    []uint32
	begun   uint32 // slots that were used once
	last    uint64 // number
	tell    []told // that the keeper wasn't told yet
	isOver  bool
	line    *net.UnixConn // to the keeper; nil while there is none
	process *exec.Cmd
}

// told is something to tell the keeper.
type told struct {
	word  byte
	track *Track
}

// Start starts a keeper. Errors: this system, or this folder, has what it needs not.
func Start(o Options) (*Keeper, error) {
	if Asked(os.Args) { // it would start another one, and that one too
		return nil, errIsKeeper
	}
	if err := probe(); err != nil {
		return nil, fmt.Errorf("keeper: %w", err)
	}
	k := &Keeper{
		options: o, all: map[*Track]bool{}, over: make(chan struct{}), ended: make(chan struct{}),
	}
	k.more.L = &k.mu
	k.now.Store(seconds())
	if err := k.open(); err != nil {
		k.close()
		return nil, fmt.Errorf("keeper: %w", err)
	}
	process, err := k.spawn()
	if err != nil {
		k.close()
		return nil, fmt.Errorf("keeper: %w", err)
	}
	go k.supervise(process)
	go k.readClock()
	return k, nil
}

// open makes the memory, and the socket for the next process.
func (k *Keeper) open() (err error) {
	fd, err := unix.MemfdCreate("rocketshift-connections", unix.MFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("memory to share: %w", err)
	}
	k.file = os.NewFile(uintptr(fd), "connections")
	if err = k.file.Truncate(int64(k.options.Slots) * slotBytes); err != nil {
		return fmt.Errorf("memory to share: %w", err)
	}
	if k.memory, err = mapped(fd); err != nil {
		return fmt.Errorf("memory to share: %w", err)
	}
	if err = os.Remove(k.options.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	at, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: k.options.Path, Net: "unixpacket"})
	if err != nil {
		return err
	}
	at.SetUnlinkOnClose(false) // the next process makes its own
	defer at.Close()
	if err = os.Chmod(k.options.Path, 0o600); err != nil {
		return err
	}
	k.at, err = at.File()
	return err
}

func (k *Keeper) close() {
	for _, file := range []*os.File{k.file, k.at} {
		if file != nil {
			_ = file.Close()
		}
	}
	k.memory.unmap()
}

// spawn starts the process. It has a session of its own, so that what is sent to the gateway's
// process group doesn't reach it, and nothing of the gateway's environment or output.
func (k *Keeper) spawn() (*exec.Cmd, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "line"), os.NewFile(uintptr(pair[1]), "line")
	defer ours.Close()
	defer theirs.Close()
	line, err := net.FileConn(ours)
	if err != nil {
		return nil, err
	}
	process := exec.Command(self, Argument, k.options.Wait.String())
	process.Args[0] = os.Args[0]
	process.ExtraFiles = []*os.File{theirs, k.at, k.file}
	process.Env, process.Dir = []string{"GOMAXPROCS=1"}, "/"
	process.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := process.Start(); err != nil {
		_ = line.Close()
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.line = line.(*net.UnixConn) //nolint:forcetypeassert // as the pair is
	k.process, k.tell = process, nil
	for t := range k.all {
		k.tell = append(k.tell, told{holdWord, t})
	}
	return process, nil
}

// Keep begins to keep a connection of which nothing is read or written meanwhile, and of which so
// many bytes were read that aren't handled. It returns nil if it isn't kept.
func (k *Keeper) Keep(conn net.Conn, is About, unhandled int) *Track {
	c, can := conn.(*Conn)
	if !can || len(is.Broker) > mostBroker {
		return nil
	}
	var at counts
	err := control(c, func(fd int) (err error) {
		at, err = countsOf(fd)
		return err
	})
	if err != nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.isOver {
		return nil
	}
	t := &Track{keeper: k, conn: c}
	switch n := len(k.free); {
	case n > 0:
		t.index, k.free = k.free[n-1], k.free[:n-1]
	case int(k.begun) < k.memory.slots():
		t.index = k.begun
		k.begun++
	default:
		return nil // as many are kept
	}
	k.last++
	t.number, t.slot = k.last, k.memory.slot(t.index)
	t.begin(is, at.read-uint64(unhandled), at.written)
	k.all[t] = true
	k.tells(told{holdWord, t})
	c.track.Store(t)
	return t
}

// tells has the keeper told something. Callers hold k.mu.
func (k *Keeper) tells(one told) {
	if k.line != nil { // else the next one is told of all
		k.tell = append(k.tell, one)
		k.more.Signal()
	}
}

// forget keeps a connection no more. It reports whether the keeper may still have it.
func (k *Keeper) forget(t *Track) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.all[t] {
		return false
	}
	t.end()
	delete(k.all, t)
	k.free = append(k.free, t.index)
	k.tells(told{dropWord, t})
	return true
}

// End keeps nothing any more: the keeper ends. Connections are as they were without it; what ends
// them later ends them alone.
func (k *Keeper) End() {
	if k == nil {
		return
	}
	k.mu.Lock()
	if k.isOver {
		k.mu.Unlock()
		<-k.ended
		return
	}
	k.isOver = true
	close(k.over)
	for t := range k.all {
		t.end()
	}
	clear(k.all)
	k.more.Broadcast()
	k.mu.Unlock()
	<-k.ended
	k.close()
}

// readClock keeps the time at hand: notes of each frame must not cost a call of the system.
func (k *Keeper) readClock() {
	tick := time.NewTicker(clockPause)
	defer tick.Stop()
	for {
		select {
		case <-k.over:
			return
		case <-tick.C:
			k.now.Store(seconds())
		}
	}
}
