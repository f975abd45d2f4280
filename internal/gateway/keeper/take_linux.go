package keeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// taking is a process's way to get what a keeper has.
type taking struct {
	line   *net.UnixConn
	memory region
	now    uint64
	taken  *Taken
}

// Take takes over what the keeper of a gateway that was killed has; nil if there is none. Who calls
// it must have the lock of the folder, so that no gateway serves any more. The connections can go
// on; those that can't were closed.
func Take(path string) (*Taken, error) {
	line, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: path, Net: "unixpacket"})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, nil //nolint:nilnil // nobody keeps any
	}
	if err != nil {
		return nil, fmt.Errorf("keeper: %w", err)
	}
	defer line.Close()
	t := taking{line: line, now: seconds(), taken: &Taken{}}
	if err := t.all(); err != nil {
		t.taken.Close()
		return nil, fmt.Errorf("keeper: connections of before: %w", err)
	}
	return t.taken, nil
}

func (t *taking) all() error {
	defer func() { t.memory.unmap() }()
	_ = t.line.SetReadDeadline(time.Now().Add(lineTime))
	into := make([]byte, mostMessage)
	text, fds, err := heard(t.line, into)
	defer closeAll(fds)
	if err != nil {
		return err
	}
	var is first
	if err := json.Unmarshal(text, &is); err != nil {
		return err
	}
	if is.Version == version && len(fds) == 1 {
		if t.memory, err = mapped(fds[0]); err != nil {
			return err
		}
	}
	if t.taken.Closed = is.Closed; is.Closed == nil {
		t.taken.Closed = map[string]int{}
	}
	t.taken.Away = is.Away
	for {
		message, fds, err := heard(t.line, into)
		switch {
		case err != nil:
			return err
		case len(fds) == 0 && len(message) == 1 && message[0] == allWord:
			return say(t.line, []byte{haveWord})
		case len(fds) == 0 || len(message) != len(fds)*placeBytes:
			closeAll(fds)
			return fmt.Errorf("a message of %d bytes with %d connections", len(message), len(fds))
		}
		for i, fd := range fds {
			t.take(placeOf(message[i*placeBytes:]), os.NewFile(uintptr(fd), "kept"))
		}
	}
}

// take looks at one connection again: since the keeper has, its client may have ended it.
func (t *taking) take(at place, file *os.File) {
	defer file.Close()
	if t.memory == nil {
		t.taken.Closed[stranger]++
		return
	}
	if int(at.index) >= t.memory.slots() {
		return
	}
	s := t.memory.slot(at.index)
	if at.number == 0 || s.get(wordNumber) != at.number {
		return
	}
	why, pulls := s.judgeOf(int(file.Fd()), t.now)
	unread, err := unix.IoctlGetInt(int(file.Fd()), unix.TIOCINQ)
	if why == "" && err != nil {
		why = clientGone
	}
	var conn net.Conn
	if why == "" {
		if conn, err = net.FileConn(file); err != nil { // which doesn't block, whatever Fd has done
			why = clientGone
		}
	}
	if why != "" {
		t.taken.Closed[why]++
		return
	}
	t.taken.Found = append(t.taken.Found, Found{s.about(pulls), conn, unread})
}
