//go:build unix

package gateway

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/logs"
	"rocketshift/internal/socket"
)

// Predecessor is a process that serves, and passes everything to this one when it starts.
type Predecessor struct {
	line      connections.PassLine
	listeners map[string]net.Listener
	lock      io.Closer
	process   int
	settled   bool // nothing that it has sent is under way
}

// hasSettled reports whether a predecessor has passed everything on, with nothing under way.
func (p *Predecessor) hasSettled() bool { return p != nil && p.settled }

// Succeed finds the process that serves with a folder; nil if there is none. While this one looks
// at the clusters, the other one serves, and moves nothing.
func Succeed(dir string) (*Predecessor, error) {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: short(succeedIn(dir)), Net: "unix"})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, nil //nolint:nilnil // nobody serves
	}
	if err != nil {
		return nil, fmt.Errorf("gateway: the process that serves with folder %s: %w", dir, err)
	}
	p := &Predecessor{line: connections.PassLine{UnixConn: conn}, listeners: map[string]net.Listener{}}
	_ = conn.SetDeadline(time.Now().Add(passTime))
	var is passedGateway
	files, err := p.line.Receive(&is)
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
		return nil, fmt.Errorf("gateway: process %d, which serves with folder %s, passes nothing on: %w",
			is.Process, dir, err)
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
	if err := p.line.Say(goOnWord); err != nil {
		return fmt.Errorf("gateway: process %d, which serves, has ended or goes on by itself: %w", p.process, err)
	}
	begin := time.Now()
	var all []*installed
	var no logs.NotTaken
	for {
		var is passedSession
		files, err := p.line.Receive(&is)
		if err != nil {
			return fmt.Errorf("gateway: process %d, which serves, goes on: %w", p.process, err)
		}
		if is.Broker == lastSession {
			g.clients.opaques.goOn(is.Opaque)
			p.settled = is.Settled
			break
		}
		conns, err := connsOf(files)
		if err != nil {
			return err
		}
		in, err := g.install(is, conns)
		if err != nil {
			no.Note(is.Address, err)
			for _, conn := range conns {
				_ = conn.Close()
			}
			continue
		}
		all = append(all, in)
	}
	no.Say(g.log, "clients' connections can't be taken over")
	if err := p.line.Say(goOnWord); err != nil {
		return err
	}
	if err := p.line.Word(yours); err != nil {
		return fmt.Errorf("gateway: process %d, which serves, didn't pass everything on: %w", p.process, err)
	}
	g.startKeeper()
	for _, in := range all {
		in.start()
	}
	g.log.Info("everything was taken over from another process", "process", p.process, "connections", len(all),
		"took", time.Since(begin).String())
	g.clients.changed.now()
	if slices.ContainsFunc(all, func(in *installed) bool { return in.session.absent }) {
		g.running.Go(g.clients.expectForAWhile)
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
