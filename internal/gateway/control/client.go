package control

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rocketshift/internal/certificates"
	"rocketshift/internal/sleep"
)

// Access is what a caller of control APIs has.
type Access struct {
	Token string
	// CA is a PEM file with the authorities that sign the certificates of gateways at https://;
	// those of the system if empty. Cert and Key are PEM files with the caller's own certificate
	// and its key, for gateways that ask for one. They are read again when they change.
	CA, Cert, Key string
	// Plain lets the token go over plain HTTP to hosts other than this machine.
	Plain bool
	// Set names what somebody can set where the caller runs, for errors.
	Set AccessSettings
}

// AccessSettings are the names of settings, such as flags or environment variables.
type AccessSettings struct{ Token, CA, Cert, Plain string }

// Client calls the control API of one gateway.
type Client struct {
	base   string
	access Access
	http   *http.Client
	wrong  error // why it must not be called
}

// NewClient returns a client of the control API at host:port or http://host:port, in plain text, or
// at https://host:port. An address that it must not call is refused by each call.
func NewClient(address string, a Access) *Client {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	c := &Client{base: strings.TrimSuffix(address, "/"), access: a}
	at, err := url.Parse(c.base)
	switch {
	case err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" || at.User != nil:
		c.wrong = fmt.Errorf("gateway %q: want host:port, or https://host:port", address)
	case at.Scheme == "http" && !a.Plain && !onThisMachine(at.Hostname()):
		c.wrong = fmt.Errorf("gateway %s: its token would go over a network in plain text: give the "+
			"gateway a certificate (--control-tls-cert), and call it at https://%s%s",
			c.base, at.Host, or(" or allow plain HTTP: ", a.Set.Plain))
	}
	c.http = &http.Client{
		Timeout: ReadAheadTime + 2*MostBudget, CheckRedirect: stay, Transport: transport(a),
	}
	return c
}

// onThisMachine reports whether what is sent to a host stays on this machine.
func onThisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// stay follows no redirect: the token would go along.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// connectTime bounds how long a connection to a control API may take to be made.
const connectTime = 2 * time.Second

// callIdle is how long a connection to a control API is kept for the next call: activities that
// wait for something look every second.
const callIdle = 15 * time.Second

// transport connects to control APIs, and never through a proxy, which would see the token.
func transport(a Access) *http.Transport {
	var known certificates.Client
	if a.CA != "" {
		known.Authorities = certificates.NewAuthorities("authorities of gateways", a.CA)
	}
	if a.Cert != "" || a.Key != "" {
		known.Own = certificates.NewPair("certificate for gateways", a.Cert, a.Key)
	}
	dialer := &net.Dialer{Timeout: connectTime}
	return &http.Transport{
		// one that waits for a move, and one that looks
		DialContext: dialer.DialContext, IdleConnTimeout: callIdle, MaxIdleConnsPerHost: 2,
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			config, err := known.Config()
			if err != nil {
				return nil, err
			}
			return (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(ctx, network, addr)
		},
	}
}

// RefusedError is the gateway's own word that a call can't be carried out, or not now.
type RefusedError struct {
	Status int // of HTTP
	Text   string
	// Bypassing are those whose applications hold the move up; empty where others do.
	Bypassing Bypassing
}

func (e *RefusedError) Error() string { return e.Text }

// Use tells the gateway its migration.
func (c *Client) Use(ctx context.Context, m Migration) (s State, err error) {
	return s, c.Call(ctx, http.MethodPut, "/v1/migration", m, &s)
}

// State asks how everything is.
func (c *Client) State(ctx context.Context) (s State, err error) {
	return s, c.Call(ctx, http.MethodGet, "/v1/state", nil, &s)
}

// Origins asks for the addresses that the gateway's connections to brokers come from.
func (c *Client) Origins(ctx context.Context) (o Origins, err error) {
	return o, c.Call(ctx, http.MethodGet, "/v1/origins", nil, &o)
}

// Move asks for a move.
func (c *Client) Move(ctx context.Context, m Move) (was Moved, err error) {
	return was, c.Call(ctx, http.MethodPost, "/v1/moves", m, &was)
}

// MoveOf asks what became of a move.
func (c *Client) MoveOf(ctx context.Context, id string) (was Moved, err error) {
	return was, c.Call(ctx, http.MethodGet, "/v1/moves/"+url.PathEscape(id), nil, &was)
}

// mostAnswer bounds an answer: a state of 100,000 queues takes about 10 MB.
const mostAnswer = 64 << 20

// Call asks for a path of the control API, and reads the answer into a value. Errors: a
// *RefusedError where the gateway says no, else it doesn't answer, or isn't to be called.
func (c *Client) Call(ctx context.Context, method, path string, body, into any) error {
	if c.wrong != nil {
		return c.wrong
	}
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
	r.Header.Set("Authorization", "Bearer "+c.access.Token)
	answer, err := c.http.Do(r)
	if err != nil {
		return c.explain(err)
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
	switch {
	case answer.StatusCode >= 300 && answer.StatusCode < 400:
		why.Error += ": it sends the caller elsewhere, where the token must not go: name the " +
			"gateway itself"
	case bytes.Contains(got, []byte("HTTP request to an HTTPS server")): // the words of Go's server
		why.Error += ": it speaks TLS: call it at https://" + strings.TrimPrefix(c.base, "http://")
	case answer.StatusCode == http.StatusUnauthorized:
		why.Error += or(", from ", c.access.Set.Token)
	}
	refusal := &RefusedError{Status: answer.StatusCode, Text: why.Error}
	if why.Bypassing != nil {
		refusal.Bypassing = *why.Bypassing
	}
	return fmt.Errorf("gateway %s: %w", c.base, refusal)
}

// explain says why a gateway doesn't answer, and what to do.
func (c *Client) explain(err error) error {
	var (
		unknown x509.UnknownAuthorityError
		named   x509.HostnameError
		remote  *net.OpError
		plain   tls.RecordHeaderError
	)
	switch set := c.access.Set; {
	case errors.As(err, &unknown):
		return fmt.Errorf("gateway %s: nobody known has signed its certificate: give its authority%s: %w",
			c.base, or(" in ", set.CA), err)
	case errors.As(err, &named):
		return fmt.Errorf("gateway %s: its certificate is for another host: call it by a name that the "+
			"certificate has: %w", c.base, err)
	case errors.As(err, &plain):
		return fmt.Errorf("gateway %s doesn't speak TLS: give it a certificate (--control-tls-cert): %w",
			c.base, err)
	case errors.As(err, &remote) && remote.Op == "remote error":
		return fmt.Errorf("gateway %s doesn't take the caller's certificate, or there is none: give "+
			"one%s that the gateway's --control-client-ca has signed: %w",
			c.base, or(" in ", set.Cert), err)
	}
	return fmt.Errorf("gateway %s doesn't answer: %w", c.base, err)
}

// or is text with what comes before it; nothing without a text.
func or(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

// RetryAfter is how soon a move may be worth another try.
const RetryAfter = 200 * time.Millisecond

// MoveUntilDone asks for a move again and again until it is done, refused, or the context ends:
// what hinders a move under load, such as a send without an answer, passes. The move's id gets a
// number for each try.
func (c *Client) MoveUntilDone(ctx context.Context, m Move) (was Moved, err error) {
	id := m.ID
	for try := 1; ; try++ {
		m.ID = fmt.Sprintf("%s-%d", id, try)
		if was, err = c.Move(ctx, m); err != nil || was.Done {
			return was, err
		}
		if sleep.For(ctx, RetryAfter) != nil {
			return was, fmt.Errorf("gateway %s: move %s: %s", c.base, id, was.Reason)
		}
	}
}
