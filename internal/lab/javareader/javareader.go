// Package javareader asks RocketMQ's own Java classes what they read from frames and bodies, for
// tests that compare it with what the gateway reads. The classes of each version run in a Java
// program of their own (Read.java).
package javareader

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"

	"rocketshift/internal/lab/javaclient"
)

// Versions are those whose classes are asked: the last of 4.x and the newest of 5.x.
var Versions = [2]string{"4.9.7", "5.3.3"}

// Frame asks what is read from a whole frame, lengths included.
func Frame(raw []byte) []byte { return append([]byte{'F'}, raw...) }

// Answer asks what is read from the answer to a request of that code.
func Answer(code int, raw []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{'A'}, uint16(code)), raw...)
}

// Body asks what is read from a body as an object of a class, which is named from the package
// "protocol" on.
func Body(class string, body []byte) []byte {
	return append(append([]byte{'B', byte(len(class))}, class...), body...)
}

// Readers are the programs of all versions.
type Readers struct {
	mu  sync.Mutex
	all [len(Versions)]*reader
}

type reader struct {
	in  io.WriteCloser
	out *bufio.Reader
	cmd *exec.Cmd
}

// Start starts the programs. They end when Close is called, or this process has ended.
func Start() (*Readers, error) {
	r := &Readers{}
	for i, version := range Versions {
		one, err := start(version)
		if err != nil {
			r.Close()
			return nil, fmt.Errorf("the classes of RocketMQ %s: %w", version, err)
		}
		r.all[i] = one
	}
	return r, nil
}

func start(version string) (*reader, error) {
	classPath, java, err := javaclient.Compiled(version, "javareader", "Read")
	if err != nil {
		return nil, err
	}
	// The classes are small; a stack of the usual size, as brokers have it, decides how deep JSON
	// may be nested.
	r := &reader{cmd: exec.Command(java,
		"-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classPath, "Read")}
	if r.in, err = r.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.out = bufio.NewReader(out)
	return r, r.cmd.Start()
}

// Close ends the programs.
func (r *Readers) Close() {
	for _, one := range r.all {
		if one != nil {
			_ = one.in.Close()
			_ = one.cmd.Wait()
		}
	}
}

// Ask returns what the classes of each version answer, in the order of Versions: JSON that tells
// what was read, or {"refused": why}. Errors: the program has ended.
func (r *Readers) Ask(question []byte) (answers [len(Versions)]string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.all { // both work at the same time
		err = errors.Join(err, one.ask(question))
	}
	if err != nil {
		return answers, err
	}
	for i, one := range r.all {
		if answers[i], err = one.answer(); err != nil {
			return answers, fmt.Errorf("the classes of RocketMQ %s: %w", Versions[i], err)
		}
	}
	return answers, nil
}

func (r *reader) ask(question []byte) error {
	length := binary.BigEndian.AppendUint32(nil, uint32(len(question)))
	_, err := r.in.Write(append(length, question...))
	return err
}

func (r *reader) answer() (string, error) {
	var length [4]byte
	if _, err := io.ReadFull(r.out, length[:]); err != nil {
		return "", err
	}
	answer := make([]byte, binary.BigEndian.Uint32(length[:]))
	_, err := io.ReadFull(r.out, answer)
	return string(answer), err
}
