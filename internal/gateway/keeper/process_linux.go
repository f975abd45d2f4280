package keeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Descriptors that the gateway gives its keeper.
const (
	lineFile = 3 + iota
	socketFile
	memoryFile
)

// holder is the keeper: what it holds.
type holder struct {
	memory region
	fd     int                       // which that is
	held   map[uint32]heldConnection // by slot
	closed map[string]int
	since  time.Time // when the gateway ended
}

type heldConnection struct {
	number uint64
	fd     int
}

// Main is the program as a keeper, with its arguments. It returns the code to exit with.
func Main(arguments []string) int {
	if err := keep(arguments); err != nil {
		fmt.Fprintln(os.Stderr, "rocketshift-gateway: this is started by the gateway alone:", err)
		return 1
	}
	return 0
}

func keep(arguments []string) error {
	if len(arguments) != 3 {
		return fmt.Errorf("%d arguments", len(arguments)-1)
	}
	wait, err := time.ParseDuration(arguments[2])
	if err != nil {
		return err
	}
	line, err := net.FileConn(os.NewFile(lineFile, "line"))
	if err != nil {
		return err
	}
	at, err := net.FileListener(os.NewFile(socketFile, "socket"))
	if err != nil {
		return err
	}
	from, are := line.(*net.UnixConn)
	next, both := at.(*net.UnixListener)
	if !are || !both {
		return fmt.Errorf("its connections are a %T and a %T", line, at)
	}
	h := &holder{
		fd: memoryFile, held: map[uint32]heldConnection{}, closed: map[string]int{},
	}
	for fd := lineFile; fd <= memoryFile; fd++ {
		unix.CloseOnExec(fd)
	}
	if h.memory, err = mapped(h.fd); err != nil {
		return err
	}
	_ = say(from, []byte{hereWord}) // it may have been killed meanwhile, and said much before
	if h.follow(from) {
		return nil
	}
	h.since = time.Now()
	h.closeAllBut(seconds())
	h.awaitNext(next, h.since.Add(wait))
	return nil
}

// follow does what the gateway says until it ends. It reports whether that was in good order.
func (h *holder) follow(from *net.UnixConn) bool {
	into := make([]byte, mostMessage)
	for reset := false; ; {
		message, fds, err := heard(from, into)
		if errors.Is(err, unix.ECONNRESET) && !reset {
			reset = true // it ended before it had read hereWord; what it had said comes behind that
			continue
		}
		if err != nil || len(message) == 0 {
			closeAll(fds)
			return false
		}
		if message[0] == endWord {
			return true
		}
		if len(message) == 1+placeBytes {
			h.takes(message[0], placeOf(message[1:]), fds)
			continue
		}
		closeAll(fds)
	}
}

func (h *holder) takes(word byte, at place, fds []int) {
	if was, is := h.held[at.index]; is {
		_ = unix.Close(was.fd)
		delete(h.held, at.index)
	}
	if word == holdWord && len(fds) == 1 && int(at.index) < h.memory.slots() {
		h.held[at.index] = heldConnection{at.number, fds[0]}
		return
	}
	closeAll(fds)
}

// closeAllBut closes all connections but those that can go on: their clients are to know at once.
func (h *holder) closeAllBut(now uint64) {
	for index, one := range h.held {
		s := h.memory.slot(index)
		ended := s.get(wordNumber) != one.number // and the gateway didn't come to say so
		why, _ := s.judgeOf(one.fd, now)
		if ended || why != "" {
			_ = unix.Close(one.fd)
			delete(h.held, index)
		}
		if !ended && why != "" {
			h.closed[why]++
		}
	}
}

// awaitNext passes everything to the process that asks for it.
func (h *holder) awaitNext(at *net.UnixListener, until time.Time) {
	_ = at.SetDeadline(until)
	for {
		conn, err := at.AcceptUnix()
		if err != nil {
			return
		}
		err = h.passTo(conn)
		_ = conn.Close()
		if err == nil {
			return
		}
	}
}

func (h *holder) passTo(to *net.UnixConn) error {
	text, err := json.Marshal(first{version, h.closed, time.Since(h.since)})
	if err != nil {
		return err
	}
	if err := say(to, text, h.fd); err != nil {
		return err
	}
	var places []byte
	var fds []int
	pass := func() error {
		if len(fds) == 0 {
			return nil
		}
		err := say(to, places, fds...)
		places, fds = places[:0], fds[:0]
		return err
	}
	for index, one := range h.held {
		places, fds = place{index, one.number}.appendTo(places), append(fds, one.fd)
		if len(fds) == mostTogether {
			if err := pass(); err != nil {
				return err
			}
		}
	}
	if err := pass(); err != nil {
		return err
	}
	if err := say(to, []byte{allWord}); err != nil {
		return err
	}
	_ = to.SetReadDeadline(time.Now().Add(lineTime))
	got := make([]byte, 1)
	if n, err := to.Read(got); err != nil || n != 1 || got[0] != haveWord {
		return fmt.Errorf("it didn't take everything: %w", err)
	}
	return nil
}
