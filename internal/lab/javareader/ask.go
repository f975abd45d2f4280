package javareader

import (
	"encoding/json"
	"flag"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"rocketshift/internal/lab/labtest"
)

// Asker answers questions: Readers, or Recorded.
type Asker interface {
	Ask(question []byte) ([len(Versions)]string, error)
}

// live are the programs of this test binary. It is global, as the workers of a fuzz target have no
// other place in common; the programs end with the binary.
var live = sync.OnceValues(Start)

// files are the files of answers that the fuzz targets of this test binary share, as each may add
// to them.
var files sync.Map

func opened(file string) (*Recorded, error) {
	one := sync.OnceValues(func() (*Recorded, error) { return Open(file) })
	open, _ := files.LoadOrStore(file, one)
	return open.(func() (*Recorded, error))() // nothing else is in there
}

// For is who answers the questions of a fuzz target: the Java programs while it is fuzzed, and what
// is recorded in the file when its corpus is only run.
func For(f *testing.F, file string) Asker {
	f.Helper()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		readers, err := live()
		if err != nil {
			f.Fatal(err)
		}
		return readers
	}
	recorded, err := opened(file)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := recorded.Save(); err != nil {
			f.Error(err)
		}
	})
	return recorded
}

// Command is a command as the Java classes have read it. Language and Remark are nil for null, and
// so are values.
type Command struct {
	Refused  string
	Code     int
	Flag     int32
	Version  int
	Opaque   int32
	Language *string
	Remark   *string
	Fields   map[string]*string
	Body     string         // length and CRC-32
	Signed   string         // the same of what a signature is made of
	Format   string         // JSON or ROCKETMQ
	Header   map[string]any // of its code; {"refused": why}
}

// Ask asks, and reads the answers. A question that has none is the test's failure.
func Ask[T any](t testing.TB, of Asker, question []byte) (answers [len(Versions)]T) {
	t.Helper()
	texts, err := of.Ask(question)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		var trouble struct{ Trouble string }
		if err := json.Unmarshal([]byte(text), &trouble); err != nil || trouble.Trouble != "" {
			t.Fatalf("%s: %s %v", Versions[i], text, err)
		}
		in := json.NewDecoder(strings.NewReader(text))
		in.UseNumber()
		if err := in.Decode(&answers[i]); err != nil {
			t.Fatalf("%s: %s: %v", Versions[i], text, err)
		}
	}
	return answers
}

// Texts reads a file of texts for a corpus: each line is a text as Go writes it, in quotes of any
// kind.
func Texts(tb testing.TB, file string) (all []string) {
	tb.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		one, err := strconv.Unquote(strings.TrimSuffix(line, "\n"))
		if err != nil {
			tb.Fatalf("%s: %s: %v", file, line, err)
		}
		all = append(all, one)
	}
	return all
}

// CheckRecorded asks the Java classes everything that is recorded in a file, and fails if they
// answer otherwise.
func CheckRecorded(t *testing.T, file string) {
	t.Helper()
	labtest.NeedsServers(t)
	recorded, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	now, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	defer now.Close()
	differ, questions, err := recorded.Differences(now)
	if err != nil {
		t.Fatal(err)
	}
	if questions == 0 {
		t.Fatalf("%s has no answers: run make readings", file)
	}
	for _, one := range differ {
		t.Error(one)
	}
}
