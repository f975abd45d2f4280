//go:build unix

package connections

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// Passable reports whether a connection can pass to another process.
func Passable(conn net.Conn) bool {
	_, is := conn.(syscall.Conn)
	return is
}

const (
	// mostPassed bounds a message, in bytes: two frames of the largest size that have begun to
	// come, in base64.
	mostPassed = 64 << 20
	// mostPassedFiles is how many connections one message may have with it (SCM_MAX_FD, Linux).
	mostPassedFiles = 253
)

// PassLine is a connection to the other process, over which connections pass.
type PassLine struct{ *net.UnixConn }

// Send sends a message with files.
func (l PassLine) Send(message any, files []int) error {
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if len(text) > mostPassed || len(files) > mostPassedFiles {
		return fmt.Errorf("%d bytes with %d connections can't pass", len(text), len(files))
	}
	length := binary.BigEndian.AppendUint32(nil, uint32(len(text)))
	if _, _, err := l.WriteMsgUnix(length, syscall.UnixRights(files...), nil); err != nil {
		return err
	}
	_, err = l.Write(text)
	return err
}

// Receive takes a message with files.
func (l PassLine) Receive(into any) (files []*os.File, err error) {
	length, rights := make([]byte, 4), make([]byte, syscall.CmsgSpace(4*mostPassedFiles))
	n, with, _, _, err := l.ReadMsgUnix(length, rights)
	if err != nil {
		return nil, err
	}
	if files, err = filesOf(rights[:with]); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(l, length[n:]); err != nil {
		return files, err
	}
	size := binary.BigEndian.Uint32(length)
	if size > mostPassed {
		return files, fmt.Errorf("a message of %d bytes, at most %d", size, mostPassed)
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(l, text); err != nil {
		return files, err
	}
	return files, json.Unmarshal(text, into)
}

func filesOf(rights []byte) (files []*os.File, err error) {
	messages, err := syscall.ParseSocketControlMessage(rights)
	if err != nil {
		return nil, err
	}
	for i := range messages {
		all, err := syscall.ParseUnixRights(&messages[i])
		if err != nil {
			return files, err
		}
		for _, fd := range all {
			syscall.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "passed"))
		}
	}
	return files, nil
}

// Word reads a word, which must be the one that is wanted.
func (l PassLine) Word(want byte) error {
	got := make([]byte, 1)
	if _, err := io.ReadFull(l, got); err != nil {
		return err
	}
	if got[0] != want {
		return fmt.Errorf("%q was said, and %q is wanted", got, want)
	}
	return nil
}

// Say sends a word of one byte.
func (l PassLine) Say(word byte) error {
	_, err := l.Write([]byte{word})
	return err
}

// FdsOf are copies of connections' descriptors.
func FdsOf[T any](all []T) (fds []int, err error) {
	for _, one := range all {
		conn, is := any(one).(syscall.Conn)
		if !is {
			err = errors.New("it can't pass")
		}
		var raw syscall.RawConn
		if err == nil {
			raw, err = conn.SyscallConn()
		}
		if err == nil {
			var failed error
			err = raw.Control(func(fd uintptr) {
				var copied int
				if copied, failed = syscall.Dup(int(fd)); failed == nil {
					fds = append(fds, copied)
				}
			})
			err = errors.Join(err, failed)
		}
		if err != nil {
			CloseAll(fds)
			return nil, err
		}
	}
	return fds, nil
}

// CloseAll closes descriptors.
func CloseAll(fds []int) {
	for _, fd := range fds {
		_ = syscall.Close(fd)
	}
}
