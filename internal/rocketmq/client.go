package rocketmq

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/socket"
)

const (
	defaultDialTimeout = 3 * time.Second
	defaultCallTimeout = 10 * time.Second
	// defaultSilence is longer than any long poll. Where the network has lost a connection, such as
	// a firewall its entry, only silence shows it, and the system would go on sending for a quarter
	// of an hour.
	defaultSilence = time.Minute
	// maxIdle is below the 120 s after which servers close a silent channel: a connection that may
	// be half dead is not used.
	maxIdle = 90 * time.Second
)

// Options of a Client; the zero value connects in plain text without credentials.
type Options struct {
	Credentials *remoting.Credentials
	DialTimeout time.Duration // default 3 s
	CallTimeout time.Duration // for calls whose context has no deadline; default 10 s
	TLS         *tls.Config   // nil means plain text
	// how long a server may send nothing at all while calls wait for answers; then it is dialled
	// anew; default 60 s
	MaxSilence time.Duration
	Dial       Dial      // nil means over TCP, as the address says
	Renames    Renames   // of typed calls
	Addresses  Addresses // where servers are reached that advertise other addresses
	// Limit bounds calls per second, of all clients that have the same one; nil means no bound.
	// Calls wait for their turn without using up their time.
	Limit *rate.Limiter
}

// Dial connects to a server.
type Dial func(ctx context.Context, addr string) (net.Conn, error)

// Client holds one connection to each server that it talks to. It is safe for concurrent use.
type Client struct {
	options Options
	mu      sync.Mutex
	conns   map[string]*slot
	closed  bool
	commits turns
	untyped sync.Map // topics to which proxies refuse sends because of the message type
}

// slot makes the callers of one server wait for one dial, and not for the dials of other servers.
type slot struct {
	mu   sync.Mutex
	conn *conn
}

// NewClient returns a client that dials when it is first asked.
func NewClient(o Options) *Client {
	if o.DialTimeout <= 0 {
		o.DialTimeout = defaultDialTimeout
	}
	if o.CallTimeout <= 0 {
		o.CallTimeout = defaultCallTimeout
	}
	if o.MaxSilence <= 0 {
		o.MaxSilence = defaultSilence
	}
	if o.Dial == nil {
		o.Dial = overTCP
	}
	return &Client{options: o, conns: map[string]*slot{}}
}

var errClosed = errors.New("the client is closed")

// Close breaks all connections; calls that wait end with an error.
func (c *Client) Close() {
	c.mu.Lock()
	c.closed = true
	slots := c.conns
	c.conns = map[string]*slot{}
	c.mu.Unlock()
	for _, s := range slots {
		s.mu.Lock()
		if s.conn != nil {
			s.conn.fail(errClosed)
		}
		s.mu.Unlock()
	}
}

// User is the access key that calls are signed with; empty if they aren't signed.
func (c *Client) User() string {
	if c.options.Credentials == nil {
		return ""
	}
	return c.options.Credentials.AccessKey
}

// Call makes one round trip. It doesn't retry, and a response code other than 0 is no error: the
// typed calls judge it.
func (c *Client) Call(ctx context.Context, addr string, cmd *remoting.Command) (*remoting.Command, error) {
	if c.options.Limit != nil {
		if err := c.options.Limit.Wait(ctx); err != nil {
			return nil, &remoting.DialError{Server: addr, Err: err}
		}
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.options.CallTimeout)
		defer cancel()
	}
	if cmd.Fields == nil {
		cmd.Fields = map[string]string{}
	}
	if ctx.Err() != nil {
		return nil, &remoting.DialError{Server: addr, Err: context.Cause(ctx)} // it was never sent
	}
	cmd.Language, cmd.Version = "GO", remoting.Version
	_, broker := viaProxy(addr)
	if broker != "" {
		c.nameBroker(cmd, broker)
	}
	if c.options.Credentials != nil {
		remoting.Sign(cmd, *c.options.Credentials)
	}
	conn, err := c.conn(ctx, addr)
	if err != nil {
		return nil, &remoting.DialError{Server: addr, Err: err}
	}
	got, err := conn.call(ctx, cmd)
	if err != nil {
		return nil, err
	}
	if c.refusedForType(broker, cmd, got) {
		return c.Call(ctx, addr, cmd)
	}
	if err := lostBehind(addr, broker, cmd, got); err != nil {
		return nil, err
	}
	return got, nil
}

// conn returns the server's connection, dialling when there is none or when it may be dead.
func (c *Client) conn(ctx context.Context, addr string) (*conn, error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, errClosed
	}
	s := c.conns[addr]
	if s == nil {
		s = &slot{}
		c.conns[addr] = s
	}
	c.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil && !s.conn.broken() && s.conn.idle() < maxIdle {
		return s.conn, nil
	}
	if s.conn != nil {
		s.conn.fail(remoting.ErrConnectionLost)
		s.conn = nil
	}
	raw, err := c.dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	s.conn = newConn(raw, addr)
	s.conn.maxSilence = c.options.MaxSilence
	go s.conn.read()
	return s.conn, nil
}

func (c *Client) dial(ctx context.Context, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.DialTimeout)
	defer cancel()
	server := c.options.Addresses.Of(ServerOf(addr))
	plain, err := c.options.Dial(ctx, server)
	if err != nil || c.options.TLS == nil {
		return plain, err
	}
	return secured(ctx, plain, server, c.options.TLS)
}

func overTCP(ctx context.Context, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return socket.Quick(conn), nil
}

// DialTLS connects to a server, over TLS unless the configuration is nil. The server's name is the
// host of its address, unless the configuration has another.
func DialTLS(ctx context.Context, addr string, config *tls.Config) (net.Conn, error) {
	plain, err := overTCP(ctx, addr)
	if err != nil || config == nil {
		return plain, err
	}
	return secured(ctx, plain, addr, config)
}

// secured is a connection over TLS, to a server of that name unless the configuration has another.
func secured(ctx context.Context, plain net.Conn, addr string, config *tls.Config) (net.Conn, error) {
	if config.ServerName == "" && !config.InsecureSkipVerify {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			_ = plain.Close()
			return nil, err
		}
		config = config.Clone()
		config.ServerName = host
	}
	secure := tls.Client(plain, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = plain.Close()
		return nil, err
	}
	return secure, nil
}

// ask is Call for calls to which every code but the accepted ones is an error. object names what
// the call is about.
func (c *Client) ask(
	ctx context.Context,
	addr string,
	cmd *remoting.Command,
	object string,
	accepted ...int,
) (*remoting.Command, error) {
	c.options.Renames.command(cmd)
	got, err := c.Call(ctx, addr, cmd)
	if err != nil {
		return nil, err
	}
	if got.Code == remoting.Success {
		return got, nil
	}
	for _, code := range accepted {
		if got.Code == code {
			return got, nil
		}
	}
	call := remoting.RequestName(cmd.Code)
	if object != "" {
		call += " " + object
	}
	return nil, &remoting.Error{Server: addr, Call: call, Code: got.Code, Remark: got.Remark}
}

// SplitAddresses takes apart what people type: at commas and blanks, and at semicolons as RocketMQ's
// own tools do.
func SplitAddresses(typed []string) []string {
	return strings.FieldsFunc(strings.Join(typed, ","), func(r rune) bool { return r == ',' || r == ';' || r == ' ' })
}

// Addresses says where servers are reached whose advertised addresses can't be reached from here,
// as with NAT or Kubernetes (brokerIP1): host:port by the advertised host:port.
type Addresses map[string]string

// Of is where a server with that advertised address is reached.
func (a Addresses) Of(advertised string) string {
	if at, known := a[advertised]; known {
		return at
	}
	return advertised
}
