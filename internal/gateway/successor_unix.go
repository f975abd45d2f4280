//go:build unix

package gateway

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"rocketshift/internal/socket"
)

// succeedIn is the socket in a gateway's folder at which its successor asks for everything.
func succeedIn(dir string) string { return filepath.Join(dir, "successor") }

const (
	// goOn is what the successor says when the predecessor may go on with the next part; yours, what the predecessor says last.
	goOnWord, yours = 'g', 'y'
	// mostPassed bounds a message, in bytes: two frames of the largest size that have begun to come, in base64.
	mostPassed = 64 << 20
	// mostPassedFiles is how many connections one message may have with it (SCM_MAX_FD, Linux).
	mostPassedFiles = 253
)

// passable reports whether a connection can pass to another process.
func passable(conn net.Conn) bool {
	_, is := conn.(syscall.Conn)
	return is
}

// line is a connection to the other process, over which connections pass.
type passLine struct{ *net.UnixConn }

// send sends a message with files.
func (l passLine) send(message any, files []int) error {
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

// receive takes a message with files.
func (l passLine) receive(into any) (files []*os.File, err error) {
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

func (l passLine) word(want byte) error {
	got := make([]byte, 1)
	if _, err := io.ReadFull(l, got); err != nil {
		return err
	}
	if got[0] != want {
		return fmt.Errorf("%q was said, and %q is wanted", got, want)
	}
	return nil
}

func (l passLine) say(word byte) error {
	_, err := l.Write([]byte{word})
	return err
}

// passedGateway is the first message: what the files with it are, and whose they are. The last one is the folder's lock.
type passedGateway struct {
	Process   int      `json:"process"`
	Listeners []string `json:"listeners"`
}

// lastSession ends the sessions.
const lastSession = ""

// fdsOf are copies of connections' descriptors.
func fdsOf[T any](all []T) (fds []int, err error) {
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
			closeAll(fds)
			return nil, err
		}
	}
	return fds, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = syscall.Close(fd)
	}
}

// awaitSuccessor waits for processes that are to serve instead of this one.
func (g *Gateway) awaitSuccessor() {
	at, err := listenIn(g.config.Dir)
	if err != nil {
		g.log.Warn("no other process can take over from this one: at its end, clients see their connections close", "cause", err)
		return
	}
	g.running.Go(func() { g.passOnWhenAsked(at) })
}

func (g *Gateway) passOnWhenAsked(at *net.UnixListener) {
	defer context.AfterFunc(g.ctx, func() { _ = at.Close() })()
	for g.ctx.Err() == nil {
		conn, err := at.AcceptUnix()
		if err != nil {
			return
		}
		begin := time.Now()
		n, pause, err := g.passTo(passLine{conn})
		_ = conn.Close()
		if err != nil {
			g.log.Warn("another process couldn't take over; this one goes on", "cause", err)
			continue
		}
		g.log.Info("another process has taken over", "connections", n, "pause", pause.String(), "took", time.Since(begin).String())
		close(g.succession.done)
		return
	}
}

// listenIn listens at the folder's socket. Whoever has the folder's lock may replace it.
func listenIn(dir string) (*net.UnixListener, error) {
	path := succeedIn(dir)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	at, err := net.ListenUnix("unix", &net.UnixAddr{Name: short(path), Net: "unix"})
	if err != nil {
		return nil, err
	}
	at.SetUnlinkOnClose(false) // it may be the successor's by then
	return at, os.Chmod(path, 0o600)
}

// short is a path to a socket that is short enough for its address.
func short(path string) string {
	const most = 100 // of 108, sun_path in unix(7)
	if len(path) <= most {
		return path
	}
	if here, err := os.Getwd(); err == nil {
		if relative, err := filepath.Rel(here, path); err == nil && len(relative) <= most {
			return relative
		}
	}
	return path
}

// passTo passes everything to another process, or goes on as before.
func (g *Gateway) passTo(to passLine) (sessions int, pause time.Duration, err error) {
	ctx, cancel := context.WithTimeout(g.ctx, passTime)
	defer cancel()
	if err := g.freeze(ctx); err != nil {
		return 0, 0, err
	}
	g.state.freeze()
	defer func() {
		if err != nil {
			g.state.thaw()
			g.thaw()
		}
	}()
	if err := g.passListeners(to); err != nil {
		return 0, 0, err
	}
	_ = to.SetDeadline(time.Now().Add(successorLook))
	if err := to.word(goOnWord); err != nil {
		return 0, 0, fmt.Errorf("it has ended before it took anything: %w", err)
	}
	_ = to.SetDeadline(time.Now().Add(passTime))
	begin := time.Now()
	all := g.stopAll()
	if err := g.passSessions(to, all); err != nil {
		g.ports.resume(g)
		for _, p := range all {
			p.goOn()
		}
		return 0, 0, fmt.Errorf("it hasn't taken everything: %w", err)
	}
	for _, p := range all {
		p.abandon()
	}
	return len(all), time.Since(begin), nil
}

func (g *Gateway) passListeners(to passLine) error {
	names, listeners := g.ports.listeners()
	others := g.config.Listeners.all()
	for _, name := range sortedKeys(others) {
		names, listeners = append(names, name), append(listeners, others[name])
	}
	fds, err := fdsOf(listeners)
	if err != nil {
		return err
	}
	lock, err := fdsOf([]any{g.folder})
	if err != nil {
		closeAll(fds)
		return err
	}
	fds = append(fds, lock...)
	defer closeAll(fds)
	return to.send(passedGateway{os.Getpid(), names}, fds)
}

// passSessions passes the sessions. From the last word on they are the successor's, whether it hears that or not.
func (g *Gateway) passSessions(to passLine, all []*stoppedSession) error {
	for _, p := range all {
		fds, err := fdsOf(p.conns)
		if err == nil {
			err = to.send(p.is, fds)
			closeAll(fds)
		}
		if err != nil {
			return err
		}
	}
	if err := to.send(passedSession{Broker: lastSession}, nil); err != nil {
		return err
	}
	if err := to.word(goOnWord); err != nil {
		return err
	}
	if err := to.say(yours); err != nil {
		g.log.Warn("it isn't known whether another process serves now; this one ends", "cause", err)
	}
	return nil
}

// Predecessor is a process that serves, and passes everything to this one when it starts.
type Predecessor struct {
	line      passLine
	listeners map[string]net.Listener
	lock      io.Closer
	process   int
}

// Succeed finds the process that serves with a folder; nil if there is none. While this one looks at the clusters, the other one
// serves, and moves nothing.
func Succeed(dir string) (*Predecessor, error) {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: short(succeedIn(dir)), Net: "unix"})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, nil //nolint:nilnil // nobody serves
	}
	if err != nil {
		return nil, fmt.Errorf("gateway: the process that serves with folder %s: %w", dir, err)
	}
	p := &Predecessor{line: passLine{conn}, listeners: map[string]net.Listener{}}
	_ = conn.SetDeadline(time.Now().Add(passTime))
	var is passedGateway
	files, err := p.line.receive(&is)
	if err == nil && len(files) != len(is.Listeners)+1 {
		err = fmt.Errorf("%d files came, and %d were to come", len(files), len(is.Listeners)+1)
	}
	for i, name := range is.Listeners {
		if err != nil {
			break
		}
		p.listeners[name], err = net.FileListener(files[i])
		_ = files[i].Close()
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("gateway: process %d, which serves with folder %s, passes nothing on: %w", is.Process, dir, err)
	}
	p.process, p.lock = is.Process, files[len(files)-1]
	return p, nil
}

// listener is the predecessor's listener of that name; nil if it has none.
func (p *Predecessor) listener(name string) net.Listener {
	if p == nil {
		return nil
	}
	return p.listeners[name]
}

// clientListeners are those for clients, by the broker that they stand for.
func (p *Predecessor) clientListeners() map[string]net.Listener {
	all := map[string]net.Listener{}
	if p == nil {
		return all
	}
	for name, at := range p.listeners {
		if broker, is := strings.CutPrefix(name, clientPort); is {
			all[broker] = at
		}
	}
	return all
}

// Close lets the predecessor go on, unless it has ended.
func (p *Predecessor) Close() {
	if p != nil {
		_ = p.line.Close()
	}
}

// takeFrom takes everything that the predecessor has.
func (g *Gateway) takeFrom(p *Predecessor) (err error) {
	defer p.Close()
	_ = p.line.SetDeadline(time.Now().Add(passTime))
	if err := p.line.say(goOnWord); err != nil {
		return fmt.Errorf("gateway: process %d, which serves, has ended or goes on by itself: %w", p.process, err)
	}
	begin := time.Now()
	var all []*installed
	for {
		var is passedSession
		files, err := p.line.receive(&is)
		if err != nil {
			return fmt.Errorf("gateway: process %d, which serves, goes on: %w", p.process, err)
		}
		if is.Broker == lastSession {
			break
		}
		conns, err := connsOf(files)
		if err != nil {
			return err
		}
		in, err := g.install(is, conns)
		if err != nil {
			g.log.Warn("a client's connection can't be taken over", "client", is.Address, "cause", err)
			for _, conn := range conns {
				_ = conn.Close()
			}
			continue
		}
		all = append(all, in)
	}
	if err := p.line.say(goOnWord); err != nil {
		return err
	}
	if err := p.line.word(yours); err != nil {
		return fmt.Errorf("gateway: process %d, which serves, didn't pass everything on: %w", p.process, err)
	}
	for _, in := range all {
		in.start()
	}
	g.log.Info("everything was taken over from another process", "process", p.process, "connections", len(all), "took", time.Since(begin).String())
	g.changed.now()
	if slices.ContainsFunc(all, func(in *installed) bool { return in.session.absent }) {
		g.running.Go(g.expectForAWhile)
	}
	return nil
}

// connsOf are the connections that files are.
func connsOf(files []*os.File) (conns []net.Conn, err error) {
	for _, file := range files {
		conn, failed := net.FileConn(file)
		_ = file.Close()
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		conns = append(conns, socket.Quick(conn))
	}
	return conns, err
}
