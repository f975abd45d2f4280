package ledger

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// ReadSent reads a producer's ledger. A file that isn't there yet has no records.
func ReadSent(path string) ([]Sent, error) { return NewTail(path, ParseSent).Next() }

// ReadReceived reads a group's ledger. A file that isn't there yet has no records.
func ReadReceived(path string) ([]Received, error) { return NewTail(path, ParseReceived).Next() }

// Tail reads a ledger while it grows.
type Tail[T any] struct {
	path  string
	parse func(line string) (T, error)
	at    int64
}

// NewTail starts at the first record.
func NewTail[T any](path string, parse func(string) (T, error)) *Tail[T] {
	return &Tail[T]{path: path, parse: parse}
}

// Next returns the records that were completed since the last call.
func (t *Tail[T]) Next() ([]T, error) {
	f, err := os.Open(t.path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.NewSectionReader(f, t.at, 1<<62))
	if err != nil {
		return nil, err
	}
	data = data[:bytes.LastIndexByte(data, '\n')+1]
	var records []T
	for line := range strings.Lines(string(data)) {
		r, err := t.parse(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.path, err)
		}
		records = append(records, r)
	}
	t.at += int64(len(data))
	return records, nil
}

// ParseSent reads one line of a producer's ledger.
func ParseSent(line string) (Sent, error) {
	f := strings.Split(line, "\t")
	if len(f) != 5 {
		return Sent{}, fmt.Errorf("line %q: want 5 fields", line)
	}
	at, err := strconv.ParseInt(f[4], 10, 64)
	if err != nil {
		return Sent{}, fmt.Errorf("line %q: its time is no number", line)
	}
	return Sent{Outcome: Outcome(f[0]), ID: f[1], Key: f[2], Topic: f[3], At: at}, nil
}

// ParseReceived reads one line of a group's ledger.
func ParseReceived(line string) (Received, error) {
	f := strings.Split(line, "\t")
	if len(f) != 9 {
		return Received{}, fmt.Errorf("line %q: want 9 fields", line)
	}
	r := Received{ID: f[0], Key: f[1], MsgID: f[3], Topic: f[4], Broker: f[5], Member: f[8]}
	var errs [3]error
	r.At, errs[0] = strconv.ParseInt(f[2], 10, 64)
	r.Queue, errs[1] = strconv.Atoi(f[6])
	r.Offset, errs[2] = strconv.ParseInt(f[7], 10, 64)
	for _, err := range errs {
		if err != nil {
			return Received{}, fmt.Errorf("line %q: time, queue and offset must be numbers", line)
		}
	}
	return r, nil
}

// Settled keeps the last record of each message: what the producer knows of it in the end, in the
// order of first mention.
func Settled(records []Sent) []Sent {
	last := make(map[string]int, len(records))
	var settled []Sent
	for _, r := range records {
		if i, seen := last[r.ID]; seen {
			settled[i] = r
			continue
		}
		last[r.ID] = len(settled)
		settled = append(settled, r)
	}
	return settled
}

// NextSeq is the first sequence number that the producer has not used: a number is used from its
// Try on.
func NextSeq(records []Sent, producer string) (int64, error) {
	next := int64(1)
	for _, r := range records {
		name, seq, err := SplitID(r.ID)
		if err != nil {
			return 0, err
		}
		if name == producer && seq >= next {
			next = seq + 1
		}
	}
	return next, nil
}
