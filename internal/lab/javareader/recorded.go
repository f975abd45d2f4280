package javareader

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// recordVariable in the environment has the answers to all questions recorded, instead of looked
// up.
const recordVariable = "RECORD_READINGS"

// Recorded are answers in a file, so that tests need no Java. Each one has three lines: the
// question as a text of Go, and the answer of each version, the second one as "same" if it is that.
type Recorded struct {
	mu      sync.Mutex
	file    string
	answers map[string][len(Versions)]string
	record  *Readers // nil unless answers are recorded now
}

const same = "same"

// Open reads a file of answers. With RECORD_READINGS in the environment it starts the Java programs
// instead, and Save writes the file anew.
func Open(file string) (r *Recorded, err error) {
	r = &Recorded{file: file, answers: map[string][len(Versions)]string{}}
	if os.Getenv(recordVariable) != "" {
		r.record, err = Start()
		return r, err
	}
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for ; len(lines) >= 3; lines = lines[3:] {
		question, err := strconv.Unquote(lines[0])
		if err != nil {
			return nil, fmt.Errorf("%s: %.100q is no question: run make readings", file, lines[0])
		}
		if lines[2] == same {
			lines[2] = lines[1]
		}
		r.answers[question] = [...]string{lines[1], lines[2]}
	}
	return r, nil
}

// Ask is Readers.Ask with what is recorded. Errors: there is nothing.
func (r *Recorded) Ask(question []byte) (answers [len(Versions)]string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	answers, known := r.answers[string(question)]
	if known || r.record == nil {
		if !known {
			err = fmt.Errorf("%s has no answer to %.300q: run make readings", r.file, question)
		}
		return answers, err
	}
	if answers, err = r.record.Ask(question); err == nil {
		r.answers[string(question)] = answers
	}
	return answers, err
}

// Save writes what was recorded, if anything was.
func (r *Recorded) Save() error {
	if r.record == nil {
		return nil
	}
	var text bytes.Buffer
	for _, question := range slices.Sorted(maps.Keys(r.answers)) {
		answers := r.answers[question]
		if answers[1] == answers[0] {
			answers[1] = same
		}
		fmt.Fprintf(&text, "%s\n%s\n%s\n", strconv.QuoteToASCII(question), answers[0], answers[1])
	}
	if err := os.MkdirAll(filepath.Dir(r.file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(r.file, text.Bytes(), 0o644)
}

// Differences asks everything that is recorded anew, and returns what is answered otherwise now,
// and how many questions there were.
func (r *Recorded) Differences(now *Readers) (differ []string, questions int, err error) {
	for question, was := range r.answers {
		is, err := now.Ask([]byte(question))
		if err != nil {
			return nil, 0, err
		}
		if is != was {
			differ = append(differ, fmt.Sprintf("%q: was %q, is %q", question, was, is))
		}
	}
	return differ, len(r.answers), nil
}
