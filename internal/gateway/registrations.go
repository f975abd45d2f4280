package gateway

import (
	"bufio"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"rocketshift/internal/files"
	"rocketshift/internal/gateway/memory"
	"rocketshift/internal/sleep"
)

// Brokers know a client by its last heartbeat and the connection that it came over. When a gateway
// ends without a word, all of its clients are struck off at once, and each comes back with its next
// heartbeat, up to 30 s later: meanwhile brokers refuse the groups' pulls, and the first member to
// come back takes all queues. So the gateway keeps on disk what its clients' last heartbeats were.
// After a restart it registers them again before it serves anybody, and gives each its registration
// when it is back.

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
	// registrationsPause is how long changes are gathered before they are written: clients come in
	// crowds.
	registrationsPause = 100 * time.Millisecond
	// registrationsShare is how many times as long as the last write the next one waits at least:
	// with 10,000 clients one takes tens of milliseconds.
	registrationsShare = 20
	// registrationsTouch is how often the file says that the gateway lives.
	registrationsTouch = 5 * time.Second
	// registrationsLife is for how long after the gateway was last known to live its clients are
	// expected back. Later, those that wanted to are elsewhere.
	registrationsLife = time.Minute
	// mostRegistrations bounds the file, in bytes: 10,000 clients of two brokers with 4 KiB each,
	// in base64.
	mostRegistrations = 128 << 20
)

func registrationsIn(dir string) string { return filepath.Join(dir, "clients.json") }

// mostOfRegistrations is how many bytes of heartbeats are kept on disk: an eighth of the memory,
// into which they are read back.
func (c Config) mostOfRegistrations() int {
	const inBase64, share = 2, 8 // it takes a third more
	return int(min(mostRegistrations/inBase64, cmp.Or(c.Memory, memory.UsualMemory)/share))
}

// clientsToKeep are the clients that brokers of the source know through this gateway, those with
// the shortest heartbeats first: a few long ones leave room for them.
func (ss *sessions) clientsToKeep() (all registrations) {
	for _, s := range ss.registry.all() {
		s.mu.Lock()
		if s.beat != nil && !s.closed && !s.port.names {
			all.Clients = append(all.Clients, registration{s.port.Dest.Broker, s.conn.RemoteAddr().String(), s.beat})
		}
		s.mu.Unlock()
	}
	slices.SortFunc(all.Clients, func(a, b registration) int {
		return cmp.Compare(len(a.Beat), len(b.Beat))
	})
	size := 0
	for i, one := range all.Clients {
		if size += len(one.Beat); size > ss.config.mostOfRegistrations() {
			all.Clients = all.Clients[:i]
			break
		}
	}
	return all
}

// writeTo writes them as JSON, without making it all in memory.
func (r registrations) writeTo(to io.Writer) error {
	w := bufio.NewWriter(to)
	begin := `{"clients":[`
	for _, one := range r.Clients {
		broker, err := json.Marshal(one.Broker)
		if err != nil {
			return err
		}
		address, err := json.Marshal(one.Address)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, `%s{"broker":%s,"address":%s,"beat":"`, begin, broker, address) // w keeps errors
		text := base64.NewEncoder(base64.StdEncoding, w)
		if _, err := text.Write(one.Beat); err != nil {
			return err
		}
		if err := text.Close(); err != nil {
			return err
		}
		begin = `"},`
	}
	if len(r.Clients) > 0 {
		begin = `"}`
	}
	_, _ = w.WriteString(begin + "]}")
	return w.Flush()
}

// keepRegistrations writes them when they change.
func (ss *sessions) keepRegistrations() {
	path, said := registrationsIn(ss.config.Dir), ""
	for pause := registrationsPause; ; {
		select {
		case <-ss.ctx.Done():
			return
		case <-ss.passed:
			return
		case <-time.After(registrationsTouch):
			now := time.Now()
			_ = os.Chtimes(path, now, now)
			continue
		case <-ss.changed:
		}
		if sleep.For(ss.ctx, pause) != nil {
			return // clients leave as the gateway ends: they are expected back
		}
		begin := time.Now()
		var err error
		if ss.ctx.Err() == nil && !ss.frozen() {
			err = files.Replacement{Path: path, Permission: 0o600}.Write(ss.clientsToKeep().writeTo)
		}
		pause = max(registrationsPause, registrationsShare*time.Since(begin))
		if err != nil && said != err.Error() {
			ss.log.Warn(
				"which clients there are can't be kept: after a restart they are known again with their next "+
					"heartbeats alone",
				"file",
				path,
				"cause",
				err,
			)
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

// readRegistrations reads the clients of before, with so many bytes of heartbeats at most. None are
// expected back when the gateway was away for long.
func readRegistrations(dir string, most int) (all registrations, err error) {
	path := registrationsIn(dir)
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return all, err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return all, err
	case info.Size() > mostRegistrations:
		return all, fmt.Errorf("%s has %d bytes, at most %d", path, info.Size(), mostRegistrations)
	case time.Since(info.ModTime()) > registrationsLife:
		return all, nil
	}
	if all, err = decodeRegistrations(file, most); err != nil {
		return registrations{}, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}

// decodeRegistrations reads one after the other, as many as there is room for.
func decodeRegistrations(from io.Reader, most int) (all registrations, err error) {
	in := json.NewDecoder(from)
	in.DisallowUnknownFields()
	for _, want := range [...]json.Token{json.Delim('{'), "clients", json.Delim('[')} {
		is, err := in.Token()
		switch {
		case err != nil:
			return all, err
		case is == json.Delim('}') && want == "clients", is == nil && want == json.Delim('['):
			return all, nil // there are none
		case is != want:
			return all, fmt.Errorf("%v where %v should be", is, want)
		}
	}
	for in.More() {
		var one registration
		if err := in.Decode(&one); err != nil {
			return all, err
		}
		if most -= len(one.Beat); most < 0 {
			return all, nil
		}
		all.Clients = append(all.Clients, one)
	}
	for range 2 {
		if _, err := in.Token(); err != nil {
			return all, err
		}
	}
	return all, nil
}
