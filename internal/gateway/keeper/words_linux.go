package keeper

import (
	"encoding/binary"
	"fmt"
	"net"
	"syscall"
	"time"
)

// What the gateway says to its keeper: each in a message of its own.
const (
	holdWord = 'h' // with a connection
	dropWord = 'd' // it has ended
	endWord  = 'e' // the gateway ends, or passes its connections on itself
)

// What the keeper says to the next process, and that to it.
const (
	allWord  = 'z' // all were passed
	haveWord = 'y'
)

// hereWord is what the keeper says to the gateway when it has begun.
const hereWord = 'k'

const (
	lineTime = 5 * time.Second // within which the other process takes a message
	// beginTime is for how long a process may begin on a busy machine.
	beginTime = 30 * time.Second
	// mostTogether is how many connections a message has: SCM_MAX_FD of Linux is 253.
	mostTogether = 128
	placeBytes   = 12 // of a slot's place and of its connection's number
	mostMessage  = 16 << 10
)

// first is the keeper's first message, with the memory.
type first struct {
	Version int            `json:"version"`
	Closed  map[string]int `json:"closed"`
	Away    time.Duration  `json:"away"` // since the gateway ended
}

// place is where a connection is.
type place struct {
	index  uint32
	number uint64
}

func (p place) appendTo(b []byte) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, p.index), p.number)
}

func placeOf(b []byte) place {
	return place{binary.BigEndian.Uint32(b), binary.BigEndian.Uint64(b[4:])}
}

// say sends a message with descriptors within lineTime.
func say(line *net.UnixConn, message []byte, fds ...int) error {
	var rights []byte
	if len(fds) > 0 {
		rights = syscall.UnixRights(fds...)
	}
	_ = line.SetWriteDeadline(time.Now().Add(lineTime))
	_, _, err := line.WriteMsgUnix(message, rights, nil)
	return err
}

// heard is the next message; it is empty at the end. Without room for descriptors some of them are
// missing. The descriptors are the caller's, also with an error.
func heard(line *net.UnixConn, into []byte) (message []byte, fds []int, err error) {
	rights := make([]byte, syscall.CmsgSpace(4*(mostTogether+1)))
	n, with, flags, _, err := line.ReadMsgUnix(into, rights)
	if err != nil {
		return nil, nil, err
	}
	messages, err := syscall.ParseSocketControlMessage(rights[:with])
	for i := range messages {
		all, _ := syscall.ParseUnixRights(&messages[i])
		for _, fd := range all {
			syscall.CloseOnExec(fd)
		}
		fds = append(fds, all...)
	}
	if err == nil && flags&syscall.MSG_TRUNC != 0 {
		err = fmt.Errorf("a message of more than %d bytes", len(into))
	}
	return into[:n], fds, err
}

// closeAll closes descriptors. They aren't files of Go, which may make them blocking, for all
// processes that have the connection.
func closeAll(fds []int) {
	for _, fd := range fds {
		_ = syscall.Close(fd)
	}
}
