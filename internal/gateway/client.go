package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client calls the control API of one gateway.
type Client struct {
	base, token string
	http        *http.Client
}

// NewClient returns a client of the control API at host:port, or at a URL.
func NewClient(address, token string) *Client {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	return &Client{strings.TrimSuffix(address, "/"), token, &http.Client{Timeout: readAheadTime + 2*mostBudget}}
}

// RefusedError is the gateway's own word that a call can't be carried out, or not now.
type RefusedError struct {
	Status int // of HTTP
	Text   string
}

func (e *RefusedError) Error() string { return e.Text }

// Use tells the gateway its migration.
func (c *Client) Use(ctx context.Context, m Migration) (s State, err error) {
	return s, c.call(ctx, http.MethodPut, "/v1/migration", m, &s)
}

// State asks how everything is.
func (c *Client) State(ctx context.Context) (s State, err error) {
	return s, c.call(ctx, http.MethodGet, "/v1/state", nil, &s)
}

// Origins asks for the addresses that the gateway's connections to brokers come from.
func (c *Client) Origins(ctx context.Context) (o Origins, err error) {
	return o, c.call(ctx, http.MethodGet, "/v1/origins", nil, &o)
}

// Move asks for a move.
func (c *Client) Move(ctx context.Context, m Move) (was Moved, err error) {
	return was, c.call(ctx, http.MethodPost, "/v1/moves", m, &was)
}

// MoveOf asks what became of a move.
func (c *Client) MoveOf(ctx context.Context, id string) (was Moved, err error) {
	return was, c.call(ctx, http.MethodGet, "/v1/moves/"+url.PathEscape(id), nil, &was)
}

// mostAnswer bounds an answer: a state of 100,000 queues takes about 10 MB.
const mostAnswer = 64 << 20

func (c *Client) call(ctx context.Context, method, path string, body, into any) error {
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, &text)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	answer, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("gateway %s doesn't answer: %w", c.base, err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswer))
	if err != nil {
		return fmt.Errorf("gateway %s: %w", c.base, err)
	}
	if answer.StatusCode == http.StatusOK {
		return json.Unmarshal(got, into)
	}
	var why Problem
	if json.Unmarshal(got, &why) != nil || why.Error == "" {
		why.Error = answer.Status
	}
	return fmt.Errorf("gateway %s: %w", c.base, &RefusedError{answer.StatusCode, why.Error})
}

// retryAfter is how soon a move may be worth another try.
const retryAfter = 200 * time.Millisecond

// MoveUntilDone asks for a move again and again until it is done, refused, or the context ends: what hinders a move under load, such as a send
// without an answer, passes. The move's id gets a number for each try.
func (c *Client) MoveUntilDone(ctx context.Context, m Move) (was Moved, err error) {
	id := m.ID
	for try := 1; ; try++ {
		m.ID = fmt.Sprintf("%s-%d", id, try)
		if was, err = c.Move(ctx, m); err != nil || was.Done {
			return was, err
		}
		if wait(ctx, retryAfter) != nil {
			return was, fmt.Errorf("gateway %s: move %s: %s", c.base, id, was.Reason)
		}
	}
}
