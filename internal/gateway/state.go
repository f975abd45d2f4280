package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/files"
	"rocketshift/internal/gateway/control"
	"rocketshift/replicator/lane"
)

// saved is what a gateway keeps on disk: all that it decides, and nothing that it can read
// elsewhere.
type saved struct {
	Epoch     int64              `json:"epoch"` // counts the moves that were done
	Ports     map[string]int     `json:"ports"`
	Targets   []string           `json:"targets"` // target brokers in the order of their tags
	Migration *control.Migration `json:"migration,omitempty"`
	Authority string             `json:"authority,omitempty"` // a side
	Open      *savedPart         `json:"open,omitempty"`      // a round of which the end isn't known yet
	Homes     []savedHome        `json:"homes"`
	Views     []savedView        `json:"views"`
	// Lanes are those of the queues above: a gateway that begins while a side is away must know
	// where these go to.
	Lanes []lane.Lane     `json:"lanes,omitempty"`
	Moves []control.Moved `json:"moves,omitempty"` // the last ones that were done, for callers that ask again
	// Brokers are where those of both sides were seen last, by side; states of before have none.
	Brokers map[string]savedAddresses `json:"brokers,omitempty"`
	// Clusters are what both sides' brokers belong to, by side and broker; states of before have
	// none.
	Clusters map[string]map[string]string `json:"clusters,omitempty"`
	// Checksum is that of all the rest, SHA-256 in hexadecimal digits.
	Checksum string `json:"checksum,omitempty"`
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
	Round   Round   `json:"round"`
	Outcome Outcome `json:"outcome"`
	moment          // when it began
	// Since is when it began by the wall clock, which may have been set since: files of before have
	// it.
	Since *time.Time `json:"since,omitempty"`
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

	frozen bool // another process goes by it
	// postponed is whether what is to be saved waits: another process serves yet, and this one is
	// about to take over.
	postponed bool

	first bool // nothing was
	log   *slog.Logger

	trouble trouble

	failures atomic.Int64 // of writes
}

func openState(dir string) (*stateFile, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("gateway: its folder: %w", err)
	}
	f := &stateFile{path: filepath.Join(dir, "gateway.json"), reached: func(string) {}}
	f.done = sync.NewCond(&f.mu)
	text, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		f.first = true
		return f, nil
	}
	if err == nil {
		f.begun, err = parseState(text)
	}
	if err != nil {
		return nil, fmt.Errorf(
			"gateway: its state in %s can't be read: %w; without it nobody knows where homes and groups are, "+
				"so it doesn't start",
			f.path,
			err,
		)
	}
	return f, nil
}

func (f *stateFile) last() saved { return f.begun }

// parseState reads a state. One that isn't whole, or that somebody has changed, isn't gone by:
// homes would be where nobody sends. Only files of before have no checksum; these have no addresses
// of brokers either, which were first written later.
func parseState(text []byte) (s saved, err error) {
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(&s); err != nil {
		return s, err
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return s, errors.New("text after the state")
	}
	if s.Ports == nil {
		return s, errors.New("it holds no ports, as each state does")
	}
	was := s.Checksum
	if was == "" && s.Brokers != nil {
		return s, errors.New("its checksum is missing, which somebody must have taken out")
	}
	if is, err := s.sum(); was != "" && (err != nil || is != was) {
		return s, errors.Join(fmt.Errorf("its checksum is %s, and that of what it holds %s", was, is), err)
	}
	s.Checksum = ""
	return s, errors.Join(s.sides(), s.numbers(), checkAddresses(s.Brokers), checkClusters(s.Clusters))
}

// sum is the checksum of a state.
func (s saved) sum() (string, error) {
	s.Checksum = ""
	text, err := json.Marshal(s)
	return fmt.Sprintf("%x", sha256.Sum256(text)), err
}

// sides refuses names that are none of a side.
func (s saved) sides() error {
	names := map[string]string{}
	if s.Authority != "" {
		names[s.Authority] = "the authority"
	}
	for _, h := range s.Homes {
		names[h.Home] = fmt.Sprintf("the home of topic %s, queue %d on %s", h.Topic, h.Queue, h.Broker)
	}
	for _, v := range s.Views {
		names[v.Side] = fmt.Sprintf("the side of group %s for topic %s, queue %d on %s", v.Group, v.Topic,
			v.Queue, v.Broker)
	}
	for name, of := range names {
		if _, known := sideOf(name); !known {
			return fmt.Errorf("%s is %q: source or target is possible", of, name)
		}
	}
	return nil
}

// save writes what build returns. It is on disk when save returns without an error.
func (f *stateFile) save(build func() saved) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.frozen {
		return errors.New("gateway: its state passes to another process")
	}
	if f.postponed {
		return nil // whoever ends that saves
	}
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
		if err != nil {
			f.failures.Add(1)
		}
		f.mu.Lock()
		f.busy, f.have, f.err = false, upTo, err
		f.noted(err)
		f.done.Broadcast()
	}
	return f.err
}

func (f *stateFile) write(s saved) (err error) {
	if s.Checksum, err = s.sum(); err != nil {
		return err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	file := files.Replacement{
		Path: f.path, Permission: 0o600,
		Written: func() { f.reached(phaseWritten) }, Replaced: func() { f.reached(phaseReplaced) },
	}
	if err := file.With(text); err != nil {
		return fmt.Errorf("gateway: its state can't be written to %s: %w", f.path, err)
	}
	return nil
}

// save writes what the gateway has decided.
func (g *Gateway) save() error { return g.state.save(g.snapshot) }

func (g *Gateway) snapshot() saved {
	g.decided.Lock() // all of an outcome, or nothing
	defer g.decided.Unlock()
	s := saved{
		Epoch:     g.moves.epoch.Load(),
		Ports:     g.ports.numbers(),
		Targets:   *g.targets.Load(),
		Authority: g.authority().String(),
		Homes:     []savedHome{},
		Views:     []savedView{},
		Moves:     g.moves.newest(savedMoves),
	}
	s.Brokers, s.Clusters = g.knownAddresses(), g.knownClusters()
	if m := g.migration.Load(); m != nil {
		s.Migration = &m.Migration
	}
	if next := g.intended.Load(); next != nil {
		s.Migration = next
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
	g.recallOwed()
	g.learnLanes(s.Lanes)
	if s.Open != nil {
		g.learnLanes(s.Open.Outcome.Lanes)
	}
	for _, was := range s.Moves {
		g.moves.remember(was)
	}
	g.apply(&Outcome{Epoch: s.Epoch, Homes: s.Homes, Views: s.Views, Authority: s.Authority})
}
