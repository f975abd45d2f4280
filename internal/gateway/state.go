package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"rocketshift/replicator"
)

// saved is what a gateway keeps on disk: all that it decides, and nothing that it can read elsewhere.
type saved struct {
	Epoch     int64          `json:"epoch"` // counts the moves that were done
	Ports     map[string]int `json:"ports"`
	Targets   []string       `json:"targets"` // target brokers in the order of their tags
	Migration *Migration     `json:"migration,omitempty"`
	Authority string         `json:"authority,omitempty"` // a side
	Open      *savedPart     `json:"open,omitempty"`      // a round of which the end isn't known yet
	Homes     []savedHome    `json:"homes"`
	Views     []savedView    `json:"views"`
	// Lanes are those of the queues above: a gateway that begins while a side is away must know where these go to.
	Lanes []replicator.Lane `json:"lanes,omitempty"`
	Moves []Moved           `json:"moves,omitempty"` // the last ones that were done, for callers that ask again
}

// savedHome is a queue that isn't as it was before everything.
type savedHome struct {
	Topic  string `json:"topic"`
	Broker string `json:"broker"`
	Queue  int    `json:"queue"`
	Home   string `json:"home"`
	Shift  int64  `json:"shift"`
}

// savedView is a group's view of a queue that isn't as it was before everything.
type savedView struct {
	Group  string   `json:"group"`
	Topic  string   `json:"topic"`
	Broker string   `json:"broker"`
	Queue  int      `json:"queue"`
	Side   string   `json:"side"`
	Shift  [2]int64 `json:"shift"` // of the source and of the target
	Proved int64    `json:"proved"`
}

// savedPart is a round that this gateway was ready for.
type savedPart struct {
	Round   Round     `json:"round"`
	Outcome Outcome   `json:"outcome"`
	Since   time.Time `json:"since"`
}

// stateFile is where it is kept. Who saves together is written together.
type stateFile struct {
	path    string
	reached func(phase string)

	mu    sync.Mutex
	done  *sync.Cond
	want  int // saves asked for
	have  int // of these, how many are on disk, or failed
	busy  bool
	err   error
	begun saved // what was there at the beginning
}

func openState(dir string) (*stateFile, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("gateway: its folder: %w", err)
	}
	f := &stateFile{path: filepath.Join(dir, "gateway.json"), reached: func(string) {}}
	f.done = sync.NewCond(&f.mu)
	text, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &f.begun)
	}
	if err != nil {
		return nil, fmt.Errorf("gateway: its state in %s can't be read: %w; without it nobody knows where homes and groups are, so it doesn't start", f.path, err)
	}
	return f, nil
}

func (f *stateFile) last() saved { return f.begun }

// save writes what build returns. It is on disk when save returns without an error.
func (f *stateFile) save(build func() saved) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.want++
	for mine := f.want; f.have < mine; {
		if f.busy {
			f.done.Wait()
			continue
		}
		f.busy = true
		upTo := f.want
		f.mu.Unlock()
		err := f.write(build())
		f.mu.Lock()
		f.busy, f.have, f.err = false, upTo, err
		f.done.Broadcast()
	}
	return f.err
}

func (f *stateFile) write(s saved) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := replaceFile(f.path, text, f.reached); err != nil {
		return fmt.Errorf("gateway: its state can't be written to %s: %w", f.path, err)
	}
	return nil
}

// replaceFile makes the text the file's, for good or not at all.
func replaceFile(path string, text []byte, reached func(phase string)) error {
	next := path + ".next"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	reached(phaseWritten)
	if err := os.Rename(next, path); err != nil {
		return err
	}
	reached(phaseReplaced)
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// save writes what the gateway has decided.
func (g *Gateway) save() error { return g.state.save(g.snapshot) }

func (g *Gateway) snapshot() saved {
	g.decided.Lock() // all of an outcome, or nothing
	defer g.decided.Unlock()
	s := saved{Epoch: g.moves.epoch.Load(), Ports: g.ports.numbers(), Targets: *g.targets.Load(), Authority: g.authority().String(), Homes: []savedHome{}, Views: []savedView{}, Moves: g.moves.newest(savedMoves)}
	if m := g.migration.Load(); m != nil {
		s.Migration = &m.Migration
	}
	s.Open = g.openPart()
	lanes := map[*queue]bool{}
	for _, t := range g.topics.all() {
		for _, q := range t.all() {
			if home, shift := q.at(), q.shift.Load(); home != source || shift != 0 {
				s.Homes, lanes[q] = append(s.Homes, homeOf(q)), true
			}
		}
	}
	for _, one := range g.groups.all() {
		for _, v := range one.all() {
			if is := viewAsIs(v); is.Side != source.String() || is.Shift != [2]int64{} {
				s.Views, lanes[v.queue] = append(s.Views, is), true
			}
		}
	}
	for q := range lanes {
		if lane := q.lane.Load(); lane != nil {
			s.Lanes = append(s.Lanes, *lane)
		}
	}
	return s
}

// restore takes over what was decided before a restart.
func (g *Gateway) restore(s saved) {
	for i := range s.Lanes { // what was just seen of them counts more
		lane := &s.Lanes[i]
		g.queueFor(lane.Topic, lane.Source.Broker, lane.Source.ID).lane.CompareAndSwap(nil, lane)
	}
	for _, was := range s.Moves {
		g.moves.remember(was)
	}
	g.apply(&Outcome{Epoch: s.Epoch, Homes: s.Homes, Views: s.Views, Authority: s.Authority})
}
