// Package javaclient runs producers and consumers of the Java clients that applications use, of any version, as programs of their own, for tests.
package javaclient

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rocketshift/internal/lab"
)

// Kinds of producers.
const (
	Sync        = "sync"
	Async       = "async"
	OneWay      = "oneway"
	Batch       = "batch" // five messages a request
	Ordered     = "ordered"
	Delayed     = "delayed"     // by one second, or five
	Transaction = "transaction" // numbers that leave the rest 1 by 3 are rolled back, 2 are committed when the broker asks
)

// Producer is one whose messages are numbered by key; their bodies are "key number". Numbers are tagged tag0 to tag2 by their rest by 3.
type Producer struct {
	Version, NameServer, Topic, Group, Instance string

	Kind   string
	Prefix string        // of its keys
	Keys   int           // each sends in a thread of its own, one message after the other
	Pause  time.Duration // after each

	Acked  func(key string, number int, took time.Duration)
	Failed func(key string, number int, why string)
}

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

	Mode      string
	Filter    string        // tags, or sql: with an expression; all messages if empty
	Work      time.Duration // for each message
	FailEvery int           // messages with a number that this divides fail once; 0: none

	Got func(Delivery)
}

// Delivery is a message that a consumer worked on with success.
type Delivery struct {
	Key    string
	Number int
	Queue  int
	Offset int64
	Tries  int // that failed before
}

// Client is a running program.
type Client struct {
	name  string
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{}

	mu      sync.Mutex
	ready   chan struct{}
	strange []string // what it said besides
}

// Start starts the producer and waits until it is ready.
func (p Producer) Start(t testing.TB) *Client {
	t.Helper()
	return start(t, p.Version, "Produce", p.line,
		p.NameServer, p.Topic, p.Group, p.Instance, p.Kind, p.Prefix, strconv.Itoa(p.Keys), strconv.FormatInt(p.Pause.Milliseconds(), 10))
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
	default:
		return words[0] == "check"
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
	return start(t, c.Version, program, c.line,
		c.NameServer, c.Topic, c.Group, c.Instance, c.Mode, filter, strconv.FormatInt(c.Work.Milliseconds(), 10), strconv.Itoa(c.FailEvery))
}

func (c Consumer) line(words []string) bool {
	if len(words) != 6 || words[0] != "got" {
		return words[0] == "fail"
	}
	d := Delivery{Key: words[1]}
	d.Number, _ = strconv.Atoi(words[2])
	d.Queue, _ = strconv.Atoi(words[3])
	d.Offset, _ = strconv.ParseInt(words[4], 10, 64)
	d.Tries, _ = strconv.Atoi(words[5])
	c.Got(d)
	return true
}

// startTime bounds a start, on a busy machine.
const startTime = time.Minute

func start(t testing.TB, version, program string, line func([]string) bool, args ...string) *Client {
	t.Helper()
	classPath, java, err := compiled(version, program)
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{name: program + " " + version + " " + args[3], ended: make(chan struct{}), ready: make(chan struct{})}
	home := t.TempDir() // where clients write logs, and broadcasting ones their positions
	jvm := []string{"-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.home=" + home, "-Drocketmq.client.logRoot=" + home}
	for _, open := range []string{"java.nio", "sun.nio.ch", "java.lang"} { // clients of 4.5 are older than modules
		jvm = append(jvm, "--add-opens=java.base/"+open+"=ALL-UNNAMED")
	}
	c.cmd = exec.Command(java, append(append(jvm, "-cp", classPath, program), args...)...)
	c.cmd.Dir = home
	stdin, err := c.cmd.StdinPipe() // a program ends when the test does, as its input does
	if err != nil {
		t.Fatal(err)
	}
	c.stdin = stdin
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go c.read(out, line)
	t.Cleanup(func() {
		c.Kill()
		if t.Failed() {
			t.Logf("%s said besides: %s", c.name, c.said())
		}
	})
	select {
	case <-c.ready:
	case <-c.ended:
		t.Fatalf("%s ended before it was ready: %s", c.name, c.said())
	case <-time.After(startTime):
		t.Fatalf("%s isn't ready after %s: %s", c.name, startTime, c.said())
	}
	return c
}

func (c *Client) read(out io.Reader, line func([]string) bool) {
	defer close(c.ended)
	begun := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		words := strings.Split(lines.Text(), " ")
		switch {
		case words[0] == "ready" && !begun:
			begun = true
			close(c.ready)
		case words[0] == "sent", words[0] == "ended", line(words):
		default:
			c.mu.Lock()
			if len(c.strange) < 50 {
				c.strange = append(c.strange, lines.Text())
			}
			c.mu.Unlock()
		}
	}
	_ = c.cmd.Wait()
}

func (c *Client) said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.strange, "\n")
}

// stopTime is what an orderly end may take: consumers wait for messages in work.
const stopTime = 30 * time.Second

// Stop lets the program end as an application does, and returns when it has.
func (c *Client) Stop(t testing.TB) {
	t.Helper()
	_ = c.stdin.Close()
	select {
	case <-c.ended:
	case <-time.After(stopTime):
		t.Fatalf("%s hasn't ended after %s", c.name, stopTime)
	}
}

// Kill ends the program at once.
func (c *Client) Kill() {
	_ = c.cmd.Process.Kill()
	<-c.ended
}

var compiling sync.Mutex

// compiled is the class path of a program, which is compiled when it was never before, and the java to run it.
func compiled(version, program string) (classPath, java string, err error) {
	root, err := lab.Root()
	if err != nil {
		return "", "", err
	}
	files, err := lab.FindFiles(root)
	if err != nil {
		return "", "", err
	}
	jars := filepath.Join(files.Jars, version)
	if _, err := os.Stat(filepath.Join(jars, ".complete")); err != nil {
		return "", "", fmt.Errorf("the client of version %s isn't there: run make jars", version)
	}
	source := filepath.Join(root, "internal", "lab", "javaclient", program+".java")
	text, err := os.ReadFile(source)
	if err != nil {
		return "", "", err
	}
	sum := sha256.Sum256(text)
	classes := filepath.Join(root, ".cache", "java", version, program+"-"+hex.EncodeToString(sum[:6]))
	libraries := filepath.Join(jars, "*")
	classPath = classes + string(filepath.ListSeparator) + libraries
	compiling.Lock()
	defer compiling.Unlock()
	if _, err := os.Stat(classes); err == nil {
		return classPath, files.Java, nil
	}
	return classPath, files.Java, compile(files.Java, libraries, source, classes)
}

// compile puts the classes into their folder all at once: another process may do the same.
func compile(java, libraries, source, classes string) error {
	if err := os.MkdirAll(filepath.Dir(classes), 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(classes), "compiling-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	javac := filepath.Join(filepath.Dir(java), "javac")
	if out, err := exec.Command(javac, "-nowarn", "-d", dir, "-cp", libraries, source).CombinedOutput(); err != nil {
		return fmt.Errorf("compile %s (a JDK is needed, not only a JRE): %w: %s", source, err, out)
	}
	if err := os.Rename(dir, classes); err != nil && !errors.Is(err, os.ErrExist) {
		if _, there := os.Stat(classes); there != nil {
			return err
		}
	}
	return nil
}
