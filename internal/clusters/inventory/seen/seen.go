// Package seen keeps what was seen of a source over time in a file: who was connected, how fast it
// went, how far groups were behind. Several runs add to one file.
package seen

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/files"
)

const (
	// version is that of the file's form.
	version = 1
	// mostClients bounds the file: clients with ids of their own for each start are many in a day.
	// Those that were seen last stay.
	mostClients = 20_000
	// mostGroups is as many groups as anybody migrates.
	mostGroups = 20_000
	// mostBytes is more than a full file has.
	mostBytes = 64 << 20
)

// File is what was seen of one source.
type File struct {
	Version int            `json:"version"`
	Source  []string       `json:"source"` // name servers
	First   time.Time      `json:"first"`
	Last    time.Time      `json:"last"`
	Watched time.Duration  `json:"watched"` // altogether, of all runs
	Clients []facts.Client `json:"clients"`
	// Sends and Receives are the peaks per second of all brokers together.
	Sends    Peak            `json:"sends"`
	Receives Peak            `json:"receives"`
	Lag      map[string]Peak `json:"lag,omitempty"` // messages, by group
}

// Peak is the highest value that was seen, and when.
type Peak struct {
	Value float64   `json:"value"`
	At    time.Time `json:"at"`
}

// Raise notes a value if it is higher than all before.
func (p *Peak) Raise(value float64, at time.Time) {
	if value > p.Value || p.At.IsZero() {
		*p = Peak{value, at}
	}
}

// New is a file of which nothing was seen yet.
func New(source []string) *File {
	return &File{Version: version, Source: slices.Sorted(slices.Values(source)), Lag: map[string]Peak{}}
}

// Open reads a file for a source, or is a new one where there is none. A file of another source, or
// one that isn't such a file, is an error.
func Open(path string, source []string) (*File, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return New(source), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what was seen: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, mostBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read what was seen: %w", err)
	}
	if len(text) > mostBytes {
		return nil, fmt.Errorf(
			"%s has more than %d bytes: it isn't what rocketshift assess --observe wrote",
			path,
			mostBytes,
		)
	}
	read := New(source)
	if err := json.Unmarshal(text, read); err != nil {
		return nil, fmt.Errorf("%s isn't what rocketshift assess --observe wrote: %w", path, err)
	}
	switch want := New(source).Source; {
	case read.Version != version:
		return nil, fmt.Errorf(
			"%s has version %d, this release reads version %d: name another file",
			path,
			read.Version,
			version,
		)
	case !slices.Equal(read.Source, want):
		return nil, fmt.Errorf("%s is of the source %v, not of %v: name another file", path, read.Source, want)
	case read.Lag == nil:
		read.Lag = map[string]Peak{}
	}
	return read, nil
}

// Write writes the file as a whole or not at all.
func (f *File) Write(path string) error {
	text, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return fmt.Errorf("write what was seen: %w", err)
	}
	return files.Replace(path, append(text, '\n'), 0o600)
}

// Add notes who is connected now.
func (f *File) Add(now []facts.Client, at time.Time) {
	if f.First.IsZero() {
		f.First = at
	}
	f.Last = at
	known := map[[3]string]int{}
	for i, c := range f.Clients {
		known[key(c)] = i
	}
	for _, c := range now {
		c.Last = at
		i, is := known[key(c)]
		if !is {
			c.First = at
			known[key(c)] = len(f.Clients)
			f.Clients = append(f.Clients, c)
			continue
		}
		c.First = f.Clients[i].First
		f.Clients[i] = c
	}
	if len(f.Clients) > mostClients {
		slices.SortStableFunc(f.Clients, func(a, b facts.Client) int { return b.Last.Compare(a.Last) })
		f.Clients = slices.Clip(f.Clients[:mostClients])
	}
	slices.SortFunc(f.Clients, func(a, b facts.Client) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Group, b.Group), cmp.Compare(a.ID, b.ID))
	})
}

func key(c facts.Client) [3]string { return [3]string{c.Kind, c.Group, c.ID} }

// Behind notes how many messages a group hadn't read.
func (f *File) Behind(group string, lag int64, at time.Time) {
	peak, is := f.Lag[group]
	if !is && len(f.Lag) >= mostGroups {
		return
	}
	peak.Raise(float64(lag), at)
	f.Lag[group] = peak
}

// Facts is the file for an assessment.
func (f *File) Facts() *facts.Watched {
	return &facts.Watched{
		Clients: f.Clients, Sends: f.Sends.Value, Receives: f.Receives.Value, SendsAt: f.Sends.At,
		ReceivesAt: f.Receives.At, Span: f.Watched,
	}
}
