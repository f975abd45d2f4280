package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Brokers know a client by its last heartbeat and the connection that it came over. When a gateway ends without a word, all of its
// clients are struck off at once, and each comes back with its next heartbeat, up to 30 s later: meanwhile brokers refuse the
// groups' pulls, and the first member to come back takes all queues. So the gateway keeps on disk what its clients' last
// heartbeats were. After a restart it registers them again before it serves anybody, and gives each its registration when it
// is back.

// registration is one client's, at one broker of the source, on disk.
type registration struct {
	Broker  string `json:"broker"`  // of the source, to whose port the client was connected
	Address string `json:"address"` // of the client
	Beat    []byte `json:"beat"`    // its last heartbeat that a broker has taken, as a frame
}

// registrations are what the file holds.
type registrations struct {
	Clients []registration `json:"clients"`
}

const (
	// registrationsPause is how long changes are gathered before they are written: clients come in crowds.
	registrationsPause = 100 * time.Millisecond
	// registrationsShare is how many times as long as the last write the next one waits at least: with 10,000 clients one
	// takes tens of milliseconds.
	registrationsShare = 20
	// registrationsTouch is how often the file says that the gateway lives.
	registrationsTouch = 5 * time.Second
	// registrationsLife is for how long after the gateway was last known to live its clients are expected back. Later, those that
	// wanted to are elsewhere.
	registrationsLife = time.Minute
	// mostRegistrations bounds the file, in bytes: 10,000 clients of two brokers with 4 KiB each, in base64.
	mostRegistrations = 128 << 20
)

func registrationsIn(dir string) string { return filepath.Join(dir, "clients.json") }

// clientsToKeep are the clients that brokers of the source know through this gateway.
func (g *Gateway) clientsToKeep() (all registrations) {
	size := 0
	for _, s := range g.all() {
		s.mu.Lock()
		if s.beat != nil && !s.closed && !s.port.names {
			size += len(s.beat)
			all.Clients = append(all.Clients, registration{s.port.dest.broker, s.conn.RemoteAddr().String(), s.beat})
		}
		s.mu.Unlock()
		if size > mostRegistrations/2 { // base64 takes a third more
			break
		}
	}
	return all
}

// keepRegistrations writes them when they change.
func (g *Gateway) keepRegistrations() {
	path, said := registrationsIn(g.config.Dir), ""
	for pause := registrationsPause; ; {
		select {
		case <-g.ctx.Done():
			return
		case <-g.succession.done:
			return
		case <-time.After(registrationsTouch):
			now := time.Now()
			_ = os.Chtimes(path, now, now)
			continue
		case <-g.changed:
		}
		if wait(g.ctx, pause) != nil {
			return // clients leave as the gateway ends: they are expected back
		}
		begin := time.Now()
		text, err := json.Marshal(g.clientsToKeep())
		if err == nil && g.ctx.Err() == nil && !g.state.isFrozen() {
			err = replaceFile(path, text, func(string) {})
		}
		pause = max(registrationsPause, registrationsShare*time.Since(begin))
		if err != nil && said != err.Error() {
			g.log.Warn("which clients there are can't be kept: after a restart they are known again with their next heartbeats alone", "file", path, "cause", err)
		}
		said = textOf(err)
	}
}

// textOf is an error's text; "" if there is none.
func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// readRegistrations reads the clients of before. None are expected back when the gateway was away for long.
func readRegistrations(dir string) (all registrations, err error) {
	path := registrationsIn(dir)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return all, nil
	case err != nil:
		return all, err
	case info.Size() > mostRegistrations:
		return all, fmt.Errorf("%s has %d bytes, at most %d", path, info.Size(), mostRegistrations)
	case time.Since(info.ModTime()) > registrationsLife:
		return all, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return all, err
	}
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(&all); err != nil {
		return registrations{}, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}
