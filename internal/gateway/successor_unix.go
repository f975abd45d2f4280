//go:build unix

package gateway

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/routing"
)

// succeedIn is the socket in a gateway's folder at which its successor asks for everything.
func succeedIn(dir string) string { return filepath.Join(dir, "successor") }

const (
	// goOn is what the successor says when the predecessor may go on with the next part; yours,
	// what the predecessor says last.
	goOnWord, yours = 'g', 'y'
)

// passedGateway is the first message: what the files with it are, and whose they are. The last one
// is the folder's lock.
type passedGateway struct {
	Process   int      `json:"process"`
	Listeners []string `json:"listeners"`
}

// lastSession ends the sessions.
const lastSession = ""

// awaitSuccessor waits for processes that are to serve instead of this one.
func (g *Gateway) awaitSuccessor() {
	at, err := listenIn(g.config.Dir)
	if err != nil {
		g.log.Warn(
			"no other process can take over from this one: at its end, clients see their connections close",
			"cause", err,
		)
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
		n, pause, err := g.passTo(connections.PassLine{UnixConn: conn})
		_ = conn.Close()
		if err != nil {
			g.log.Warn("another process couldn't take over; this one goes on", "cause", err)
			continue
		}
		g.log.Info("another process has taken over", "connections", n, "pause", pause.String(), "took",
			time.Since(begin).String())
		close(g.handover.succession.done)
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

// passTo passes everything to another process, or goes on as before.
func (g *Gateway) passTo(to connections.PassLine) (sessions int, pause time.Duration, err error) {
	ctx, cancel := context.WithTimeout(g.ctx, passTime)
	defer cancel()
	if err := g.freeze(ctx); err != nil {
		return 0, 0, err
	}
	g.state.Freeze()
	defer func() {
		if err != nil {
			g.state.Thaw()
			g.thaw()
		}
	}()
	if err := g.passListeners(to); err != nil {
		return 0, 0, err
	}
	_ = to.SetDeadline(time.Now().Add(successorLook))
	if err := to.Word(goOnWord); err != nil {
		return 0, 0, fmt.Errorf("it has ended before it took anything: %w", err)
	}
	_ = to.SetDeadline(time.Now().Add(passTime))
	begin := time.Now()
	all := g.stopAll()
	g.clients.keepNoMore() // before they are the successor's, which has a keeper of its own
	if err := g.passSessions(to, all); err != nil {
		g.startKeeper()
		g.clients.ports.resume(g.clients)
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

func (g *Gateway) passListeners(to connections.PassLine) error {
	names, listeners := g.clients.ports.listeners()
	others := g.config.Listeners.all()
	for _, name := range routing.SortedKeys(others) {
		names, listeners = append(names, name), append(listeners, others[name])
	}
	fds, err := connections.FdsOf(listeners)
	if err != nil {
		return err
	}
	lock, err := connections.FdsOf([]any{g.handover.folder})
	if err != nil {
		connections.CloseAll(fds)
		return err
	}
	fds = append(fds, lock...)
	defer connections.CloseAll(fds)
	return to.Send(passedGateway{os.Getpid(), names}, fds)
}

// passSessions passes the sessions. From the last word on they are the successor's, whether it
// hears that or not.
func (g *Gateway) passSessions(to connections.PassLine, all []*stoppedSession) error {
	for _, p := range all {
		fds, err := connections.FdsOf(p.conns)
		if err == nil {
			err = to.Send(p.is, fds)
			connections.CloseAll(fds)
		}
		if err != nil {
			return err
		}
	}
	last := passedSession{
		Broker: lastSession, Opaque: g.clients.opaques.last.Load(), Settled: g.allSettled(all),
	}
	if err := to.Send(last, nil); err != nil {
		return err
	}
	if err := to.Word(goOnWord); err != nil {
		return err
	}
	if err := to.Say(yours); err != nil {
		g.log.Warn("it isn't known whether another process serves now; this one ends", "cause", err)
	}
	return nil
}
