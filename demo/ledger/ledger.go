// Package ledger holds the append-only files in which the demo's applications note what happened to
// each message.
//
// A producer notes a message before it sends it and again when it knows the outcome; a consumer
// group notes each delivery before it acknowledges it. One record is one line, one write per call,
// so that a killed application leaves at most one half line, which readers leave out. The verdict
// of the demo is computed from these files alone.
package ledger

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Outcome is what a producer knows of a message.
type Outcome string

// The outcomes. A message whose last record is Try belongs to an application that was killed: it is
// as unclear as Maybe.
const (
	Try   Outcome = "try"   // about to be sent
	Ack   Outcome = "ack"   // the broker answered that it stored it
	Maybe Outcome = "maybe" // no answer came: it is stored once or not at all, and is never sent again
	None  Outcome = "none"  // surely not stored, and given up because the application ends
)

// Sent is one record of a producer. At is Unix time in nanoseconds.
type Sent struct {
	Outcome Outcome
	ID      string
	Key     string
	Topic   string
	At      int64
}

// Received is one delivery to a consumer group. At is Unix time in nanoseconds, Member the run of
// an application that got it.
type Received struct {
	ID     string
	Key    string
	At     int64
	MsgID  string
	Topic  string
	Broker string
	Queue  int
	Offset int64
	Member string
}

// ID is the identity of a producer's message over all restarts: <producer>-<sequence>.
func ID(producer string, seq int64) string { return producer + "-" + strconv.FormatInt(seq, 10) }

// SplitID is the reverse of ID.
func SplitID(id string) (producer string, seq int64, err error) {
	at := strings.LastIndexByte(id, '-')
	if at <= 0 {
		return "", 0, fmt.Errorf("message id %q: want <producer>-<sequence>", id)
	}
	seq, err = strconv.ParseInt(id[at+1:], 10, 64)
	if err != nil {
		return "", 0, fmt.Errorf("message id %q: its sequence is no number", id)
	}
	return id[:at], seq, nil
}

func (s Sent) line() string {
	return fmt.Sprintf("%s\t%s\t%s\t%s\t%d\n", s.Outcome, s.ID, s.Key, s.Topic, s.At)
}

func (r Received) line() string {
	return fmt.Sprintf("%s\t%s\t%d\t%s\t%s\t%s\t%d\t%d\t%s\n", r.ID, r.Key, r.At, r.MsgID, r.Topic, r.Broker,
		r.Queue, r.Offset, r.Member)
}

// File is a ledger open for appending.
type File struct{ f *os.File }

// Open creates the ledger or appends to it. A half line of a killed predecessor is ended first, so
// that it spoils no record.
func Open(path string) (*File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	if len(old) > 0 && old[len(old)-1] != '\n' {
		if err := f.Truncate(int64(bytes.LastIndexByte(old, '\n') + 1)); err != nil {
			return nil, err
		}
	}
	return &File{f: f}, nil
}

// Sent appends a producer's records with one write.
func (l *File) Sent(records ...Sent) error {
	var b strings.Builder
	for _, r := range records {
		b.WriteString(r.line())
	}
	_, err := l.f.WriteString(b.String())
	return err
}

// Received appends one delivery.
func (l *File) Received(r Received) error {
	_, err := l.f.WriteString(r.line())
	return err
}

// Close closes the file.
func (l *File) Close() error { return l.f.Close() }
