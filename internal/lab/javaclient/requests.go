package javaclient

import (
	"fmt"
	"strings"
	"testing"
)

// Requester is a producer that sends requests and waits for their answers, of a client from 4.6 on.
type Requester struct {
	Version, NameServer, Topic, Group, Instance string

	Wait     int                                 // milliseconds for an answer
	Answered func(request, topic, answer string) // topic is the one that the answer came in
	Failed   func(request, why string)           // there was none
}

// Start starts the requester and waits until it is ready.
func (r Requester) Start(t testing.TB) *Client {
	t.Helper()
	return start(t, r.Version, "Request", "", nil, r.line,
		r.NameServer, r.Topic, r.Group, r.Instance, fmt.Sprint(r.Wait))
}

func (r Requester) line(words []string) bool {
	switch {
	case len(words) > 3 && words[0] == "answered":
		r.Answered(words[1], words[2], strings.Join(words[3:], " "))
	case len(words) > 2 && words[0] == "unanswered":
		r.Failed(words[1], strings.Join(words[2:], " "))
	default:
		return false
	}
	return true
}

// Request has a requester send one more request, which is one word.
func (c *Client) Request(request string) error {
	_, err := c.stdin.Write([]byte(request + "\n"))
	return err
}

// Responder is a member of a group that answers requests, of a client from 4.6 on.
type Responder struct {
	Version, NameServer, Topic, Group, Instance string

	Said func(line string) // what became of an answer, with the cluster that its request names
}

// Start starts the responder and waits until it is ready.
func (r Responder) Start(t testing.TB) *Client {
	t.Helper()
	return start(t, r.Version, "Respond", "", nil, r.line, r.NameServer, r.Topic, r.Group, r.Instance)
}

func (r Responder) line(words []string) bool {
	if words[0] != "replied" && words[0] != "failed" {
		return false
	}
	r.Said(strings.Join(words, " "))
	return true
}
