package gateway

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab/javaclient"
	"rocketshift/internal/lab/otherclients"
	"rocketshift/internal/sleep"
)

// waysCount is how many messages of a way a client sends with one word.
const waysCount = 6

// stockClient is a client that tests run in all ways that it has.
type stockClient struct {
	name         string
	sends, reads []string
	command      func(home string, args ...string) (*exec.Cmd, error) // nil: client-go
}

var (
	javaSends = []string{
		"sync", "async", "oneway", "batch", "ordered", "delayed", "transaction", "request",
	}
	javaReads = []string{"concurrent", "orderly", "broadcast", "pull", "litepull"}
)

// stockClients are those that are tried.
func stockClients() (all []stockClient) {
	for _, version := range []string{"4.4.0", "4.5.2", "4.7.1", "4.9.7", "5.3.3"} {
		c := stockClient{name: "Java " + version, sends: javaSends, reads: javaReads}
		if version < "4.6" {
			c.sends, c.reads = javaSends[:len(javaSends)-1], javaReads[:len(javaReads)-1]
		}
		c.command = func(home string, args ...string) (*exec.Cmd, error) {
			return javaclient.Ways(version, home, args...)
		}
		all = append(all, c)
	}
	other := func(language string) func(home string, args ...string) (*exec.Cmd, error) {
		return func(home string, args ...string) (*exec.Cmd, error) {
			return otherclients.Command(language, home, args...)
		}
	}
	return append(all,
		stockClient{name: "Go v2.1.2", sends: goSends, reads: goReads},
		stockClient{
			name:  "C++ by Python 0.4.4",
			sends: []string{"sync", "oneway", "batch", "ordered", "delayed"},
			reads: []string{"concurrent", "orderly", "broadcast"}, command: other("python"),
		},
		stockClient{
			name:  "Node ali-ons 3.12.0",
			sends: []string{"sync", "delayed"}, reads: []string{"concurrent", "broadcast"},
			command: other("node"),
		})
}

// ways is a client that runs.
type ways struct {
	*rig
	client stockClient
	in     io.WriteCloser
	ended  chan struct{}

	mu    sync.Mutex
	ready bool
	done  map[string]bool           // by word
	sent  map[string]int            // by way and word
	got   map[string]map[string]int // by way to read and body
	said  []string
}

// startWays starts a client with these name servers.
func (r *rig) startWays(c stockClient, nameServer, topic, prefix string) *ways {
	r.Helper()
	w := &ways{
		rig: r, client: c, ended: make(chan struct{}), done: map[string]bool{}, sent: map[string]int{},
		got: map[string]map[string]int{},
	}
	out := w.begin(nameServer, topic, prefix)
	go func() {
		defer close(w.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			w.takes(lines.Text())
		}
	}()
	r.Cleanup(w.stop)
	w.await(c.name+" is ready", func() string {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.ready {
			return ""
		}
		select {
		case <-w.ended:
			w.Fatalf("%s has ended: %s", c.name, strings.Join(w.said, "; "))
		default:
		}
		return strings.Join(w.said, "; ") + "."
	})
	return w
}

// begin begins the program, and returns what it says.
func (w *ways) begin(nameServer, topic, prefix string) io.Reader {
	w.Helper()
	if w.client.command == nil {
		in, ins := io.Pipe()
		outs, out := io.Pipe()
		w.in = ins
		g := &goWays{names: nameServer, topic: topic, prefix: prefix, count: waysCount, out: out}
		go func() {
			defer out.Close()
			g.run(in)
		}()
		return outs
	}
	cmd, err := w.client.command(w.TempDir(), nameServer, topic, prefix, strconv.Itoa(waysCount))
	require.NoError(w, err)
	w.in, err = cmd.StdinPipe()
	require.NoError(w, err)
	out, err := cmd.StdoutPipe()
	require.NoError(w, err)
	cmd.Stderr = cmd.Stdout
	require.NoError(w, cmd.Start())
	w.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return out
}

// stop lets the client end by itself, and kills it if it doesn't.
func (w *ways) stop() {
	_ = w.in.Close()
	select {
	case <-w.ended:
	case <-time.After(stopWays):
	}
}

// stopWays is how long a client may take to end by itself: Java's waits for what is in work.
const stopWays = 20 * time.Second

// mostSaid is how many lines of what a client says besides are kept.
const mostSaid = 20

func (w *ways) takes(line string) {
	words := strings.Fields(line)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case line == "ready":
		w.ready = true
	case len(words) == 2 && words[0] == "done":
		w.done[words[1]] = true
	case len(words) == 4 && words[0] == "sent":
		w.sent[words[1]+" "+words[2]], _ = strconv.Atoi(words[3])
	case len(words) == 3 && words[0] == "got":
		if w.got[words[1]] == nil {
			w.got[words[1]] = map[string]int{}
		}
		w.got[words[1]][words[2]]++
	case len(w.said) < mostSaid:
		w.said = append(w.said, line)
	}
}

// warm has the client send until it has got something in each way, but for those that never do:
// they get some time.
func (w *ways) warm() {
	w.Helper()
	end := time.Now().Add(warmTime)
	for n := 0; ; n++ {
		w.round(fmt.Sprint("warm", n))
		w.mu.Lock()
		all := len(w.got) == len(w.client.reads)
		w.mu.Unlock()
		if all || time.Now().After(end) {
			return
		}
	}
}

const (
	// warmTime is how long consumers may take to share queues for the first time: they do it each
	// 20 s.
	warmTime = 45 * time.Second
	// arriveTime is how long what was sent may take until everybody has it.
	arriveTime = 30 * time.Second
)

// round has the client send with a word, and waits until it has.
func (w *ways) round(word string) {
	w.Helper()
	_, err := io.WriteString(w.in, word+"\n")
	require.NoError(w, err)
	w.await(w.client.name+" has sent "+word, func() string {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.done[word] {
			return ""
		}
		return strings.Join(w.said, "; ") + "."
	})
}

// judged has the client send with a word, and says what came of it, by way to send and way to read:
// whole, or what is missing.
func (w *ways) judged(word string) map[[2]string]string {
	w.Helper()
	w.round(word)
	var all map[[2]string]string
	for end := time.Now().Add(arriveTime); ; {
		all = w.judge(word)
		missing := false
		for _, is := range all {
			missing = missing || is != whole
		}
		if !missing || time.Now().After(end) {
			break
		}
		require.NoError(w, sleep.For(w.ctx, lookEvery))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Logf("%s, %s: it says besides %q", w.client.name, word, w.said)
	w.said = nil
	return all
}

// whole says that everything came.
const whole = "✓"

func (w *ways) judge(word string) map[[2]string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[[2]string]string{}
	for _, send := range w.client.sends {
		want := waysCount
		if send == "transaction" {
			want-- // one is rolled back
		}
		for _, read := range w.client.reads {
			n := 0
			for i := range waysCount { // stock consumers may get one twice when they share queues anew
				n += min(w.got[read][fmt.Sprintf("%s-%s-%d", send, word, i)], 1)
			}
			is := whole
			switch {
			case w.sent[send+" "+word] != waysCount:
				is = "not sent"
			case n != want:
				is = fmt.Sprintf("%d of %d", n, want)
			}
			all[[2]string{send, read}] = is
		}
	}
	return all
}

// waysTable is what came of each client, as a page shows it.
func waysTable(results map[string]map[string]map[[2]string]string) string {
	var b strings.Builder
	b.WriteString("| client | sends | " + strings.Join(javaReads, " | ") + " |\n")
	b.WriteString("|---|---|" + strings.Repeat("---|", len(javaReads)) + "\n")
	for _, c := range stockClients() {
		for _, send := range c.sends {
			fmt.Fprintf(&b, "| %s | %s |", c.name, send)
			for _, read := range javaReads {
				fmt.Fprintf(&b, " %s |", waysCell(c, results[c.name], [2]string{send, read}))
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// waysPlaces are how clients are connected, in the order of a cell.
var waysPlaces = []string{"source", "target", "gateway", "gateway, moved"}

func waysCell(c stockClient, of map[string]map[[2]string]string, kind [2]string) string {
	if !slices.Contains(c.reads, kind[1]) {
		return "–"
	}
	var others []string
	for _, place := range waysPlaces {
		if is := of[place][kind]; is != whole {
			others = append(others, place+": "+is)
		}
	}
	if len(others) == 0 {
		return whole
	}
	return strings.Join(others, "; ")
}
