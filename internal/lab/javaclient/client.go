package javaclient

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"time"
)

// run starts the program and reads what it says.
func (c *Client) run(line func([]string) bool) error {
	stdin, err := c.cmd.StdinPipe() // a program ends when the test does, as its input does
	if err != nil {
		return err
	}
	c.stdin = stdin
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	c.cmd.Stderr = c.cmd.Stdout
	if err := c.cmd.Start(); err != nil {
		return err
	}
	go c.read(out, line)
	return nil
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
			if len(c.strange) < mostStrange {
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

// Quiet has a producer stop sending. It still answers brokers that ask about transactions.
func (c *Client) Quiet() error {
	_, err := c.stdin.Write([]byte{'\n'})
	return err
}

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
