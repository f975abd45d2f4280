// Package javaclient runs producers and consumers of the Java clients that applications use, of any
// version, as programs of their own, for tests.
package javaclient

import (
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Kinds of producers.
const (
	Sync    = "sync"
	Async   = "async"
	OneWay  = "oneway"
	Batch   = "batch" // five messages a request
	Ordered = "ordered"
	Delayed = "delayed" // by one second, or five
	Traced  = "traced"  // the client writes a trace of each message
	// numbers that leave the rest 1 by 3 are rolled back, 2 are committed when the broker asks
	Transaction = "transaction"
)

// Producer is one whose messages are numbered by key; their bodies are "key number". Numbers are
// tagged tag0 to tag2 by their rest by 3.
type Producer struct {
	Version, NameServer, Topic, Group, Instance string

	JVM    []string // more options of the Java program, such as -Dtls.enable=true
	Kind   string
	Prefix string        // of its keys
	Keys   int           // each sends in a thread of its own, one message after the other
	Pause  time.Duration // after each

	Acked func(key string, number int, took time.Duration)
	// an attempt, after which there is another one, but for Async and OneWay
	Failed func(key string, number int, why string)
	Ended  func(Ending) // may be nil
}

// Ending is what a producer's client tells a broker of a transaction.
type Ending struct {
	Key     string
	Number  int
	Attempt string // "0", or which other attempt to send it
	Asked   bool   // the broker asked for it
	Is      string // Commit, Rollback or Unknown
}

// Ends of transactions, as the Java client names them.
const (
	Commit   = "COMMIT_MESSAGE"
	Rollback = "ROLLBACK_MESSAGE"
	Unknown  = "UNKNOW"
)

// Modes of consumers.
const (
	Concurrent = "concurrent"
	Orderly    = "orderly"
	Broadcast  = "broadcast"
	Pull       = "pull"     // DefaultMQPullConsumer by its schedule service
	LitePull   = "litepull" // from 4.6 on
)

// Consumer is a member of a group.
type Consumer struct {
	Version, NameServer, Topic, Group, Instance string

	JVM       []string // more options of the Java program, such as -Dtls.enable=true
	Mode      string
	Filter    string        // tags, or sql: with an expression; all messages if empty
	Work      time.Duration // for each message; those with keys that begin with slow take 5 s
	FailEvery int           // messages with a number that this divides fail once; 0: none

	Strategy string // the class by which members share queues; the usual one if empty
	Home     string // where it keeps files, as its positions if it is broadcasting; a new folder if empty

	Got func(Delivery)
}

// Delivery is a message that a consumer worked on with success.
type Delivery struct {
	Key     string
	Number  int
	Attempt string // to send it: "0" for the first
	Queue   int
	Offset  int64
	Stored  string // the broker and the place in its log
	// the client failed to give the message back, as the broker was late, and takes care of it
	// itself; the broker may do so too
	Own bool
}

// Client is a running program.
type Client struct {
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ended chan struct{}

	mu      sync.Mutex
	ready   chan struct{}
	strange []string // other lines that it printed
}

// Start starts the producer and waits until it is ready.
func (p Producer) Start(t testing.TB) *Client {
	t.Helper()
	return start(t, p.Version, "Produce", "", p.JVM, p.line, p.NameServer, p.Topic, p.Group, p.Instance, p.Kind,
		p.Prefix, strconv.Itoa(p.Keys), strconv.FormatInt(p.Pause.Milliseconds(), 10))
}

func (p Producer) line(words []string) bool {
	switch {
	case len(words) == 5 && words[0] == "ack":
		number, _ := strconv.Atoi(words[2])
		took, _ := strconv.Atoi(words[3])
		p.Acked(words[1], number, time.Duration(took)*time.Millisecond)
	case len(words) > 3 && words[0] == "err":
		number, _ := strconv.Atoi(words[2])
		p.Failed(words[1], number, strings.Join(words[3:], " "))
	case len(words) > 4 && words[0] == "end":
		e := Ending{Key: words[3], Attempt: "0", Asked: words[1] == "asked", Is: words[2]}
		e.Number, _ = strconv.Atoi(words[4])
		if len(words) > 5 {
			e.Attempt = words[5]
		}
		if p.Ended != nil {
			p.Ended(e)
		}
	default:
		return false
	}
	return true
}

// Start starts the consumer and waits until it is ready.
func (c Consumer) Start(t testing.TB) *Client {
	t.Helper()
	filter := c.Filter
	if filter == "" {
		filter = "*"
	}
	program := "Consume"
	if c.Mode == LitePull {
		program = "LitePull"
	}
	return start(t, c.Version, program, c.Home, c.JVM, c.line, c.NameServer, c.Topic, c.Group, c.Instance,
		c.Mode, filter, strconv.FormatInt(c.Work.Milliseconds(), 10), strconv.Itoa(c.FailEvery), c.Strategy)
}

func (c Consumer) line(words []string) bool {
	if len(words) != 8 || words[0] != "got" {
		return words[0] == "fail"
	}
	d := Delivery{Key: words[1], Attempt: words[3], Stored: words[6], Own: words[7] == "true"}
	d.Number, _ = strconv.Atoi(words[2])
	d.Queue, _ = strconv.Atoi(words[4])
	d.Offset, _ = strconv.ParseInt(words[5], 10, 64)
	c.Got(d)
	return true
}

// startTime bounds a start, on a busy machine.
const startTime = 5 * time.Minute

// starting lets two programs start at a time: many at once are slow on few cores, and slow down
// those that run.
var starting = make(chan struct{}, 2)

// startTries is how often a program is started whose client gives up: it does when a name server
// takes three seconds to answer.
const startTries = 3

// optionsOf are those of the Java program of a client that keeps its files in a folder.
func optionsOf(home string) []string {
	jvm := []string{
		"-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Duser.home=" + home, "-Drocketmq.client.logRoot=" + home,
		"-Dcom.rocketmq.remoting.client.connect.timeout=60000", // three seconds by default
	}
	for _, open := range []string{"java.nio", "sun.nio.ch", "java.lang"} { // clients of 4.5 are older than modules
		jvm = append(jvm, "--add-opens=java.base/"+open+"=ALL-UNNAMED")
	}
	return jvm
}

func start(
	t testing.TB,
	version, program, home string,
	options []string,
	line func([]string) bool,
	args ...string,
) *Client {
	t.Helper()
	classPath, java, err := Compiled(version, "javaclient", program)
	if err != nil {
		t.Fatal(err)
	}
	if home == "" {
		home = t.TempDir()
	}
	jvm := append(optionsOf(home), options...)
	starting <- struct{}{}
	defer func() { <-starting }()
	for try := 1; ; try++ {
		c := &Client{
			name:  program + " " + version + " " + args[3],
			ended: make(chan struct{}),
			ready: make(chan struct{}),
		}
		c.cmd = exec.Command(java, append(append(jvm, "-cp", classPath, program), args...)...)
		c.cmd.Dir = home
		if err := c.run(line); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			c.Kill()
			if said := c.said(); t.Failed() && said != "" {
				t.Logf("%s said besides: %s", c.name, said)
			}
		})
		select {
		case <-c.ready:
			return c
		case <-c.ended:
			if try == startTries {
				t.Fatalf("%s ended before it was ready: %s", c.name, c.said())
			}
		case <-time.After(startTime):
			t.Fatalf("%s isn't ready after %s: %s", c.name, startTime, c.said())
		}
	}
}

// mostStrange is how many other lines are kept for the output of a failed test.
const mostStrange = 10

// stopTime is what an orderly end may take: consumers wait for messages in work, producers for
// answers.
const stopTime = 5 * time.Minute
