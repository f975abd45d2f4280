package controlserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"rocketshift/internal/certificates"
	"rocketshift/internal/gateway/logs"
)

// At is where the control API is, and how it is protected. Files are read again when they
// change.
type At struct {
	Address   string
	Cert, Key string // PEM files with its certificate and the key; empty: plain HTTP
	// PEM file with the authorities that sign callers' certificates; empty: callers need none
	ClientCA string
	Insecure bool // plain HTTP is allowed on networks

	// Listeners open the process's listeners, which pass to the next process; nil: they don't.
	Listeners interface {
		Listen(name, address string) (net.Listener, error)
	}
}

// Listen opens the listener. Plain HTTP on more than this machine is refused unless it is asked
// for: everybody on the way would read the token.
func (a At) Listen(log *slog.Logger) (net.Listener, error) {
	secure, err := a.secure(log)
	if err != nil {
		return nil, fmt.Errorf("the control API: %w", err)
	}
	listen := func() (net.Listener, error) { return net.Listen("tcp", a.Address) }
	if a.Listeners != nil {
		listen = func() (net.Listener, error) { return a.Listeners.Listen("control", a.Address) }
	}
	at, err := listen()
	if err != nil {
		return nil, fmt.Errorf("the control API can't listen on %s: %w", a.Address, err)
	}
	if secure != nil {
		return tls.NewListener(LimitCallers(at, MostCallers), secure), nil
	}
	if is, ok := at.Addr().(*net.TCPAddr); !a.Insecure && (!ok || !is.IP.IsLoopback()) {
		_ = at.Close()
		return nil, fmt.Errorf("the control API at %s would be plain HTTP on a network, where others can "+
			"read its token: give it a certificate (--control-tls-cert, --control-tls-key), listen on "+
			"127.0.0.1 (--control), or say --control-insecure", a.Address)
	}
	return LimitCallers(at, MostCallers), nil
}

// secure is the configuration of TLS; nil for plain HTTP.
func (a At) secure(log *slog.Logger) (*tls.Config, error) {
	switch {
	case a.Cert == "" && a.Key == "" && a.ClientCA == "":
		return nil, nil //nolint:nilnil // plain HTTP
	case a.Cert == "" || a.Key == "":
		return nil, errors.New("--control-tls-cert and --control-tls-key belong together, and " +
			"--control-client-ca needs both")
	}
	own := certificates.NewPair("certificate of the control API", a.Cert, a.Key)
	own.Failed = func(err error) {
		log.Warn("the control API's certificate stays as it was", "cause", err)
	}
	if _, err := own.Current(); err != nil {
		return nil, err
	}
	if a.ClientCA == "" {
		return certificates.Server(own, nil), nil
	}
	clients := certificates.NewAuthorities("authorities of the control API's callers", a.ClientCA)
	clients.Failed = func(err error) {
		log.Warn("the authorities of the control API's callers stay as they were", "cause", err)
	}
	if _, err := clients.Current(); err != nil {
		return nil, err
	}
	return certificates.Server(own, clients), nil
}

// Serve serves the API at a listener until the context ends.
func (c *Server) Serve(ctx context.Context, at net.Listener) error {
	server := NewHTTP(ctx, c.Handler())
	server.ErrorLog = slog.NewLogLogger(seldom{c.gateway.Log().Handler(), &c.broken}, slog.LevelWarn)
	stopped := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stopped()
	if err := server.Serve(at); ctx.Err() == nil {
		return fmt.Errorf("gateway: control API: %w", err)
	}
	return nil
}

// NewHTTP is one for what a gateway says over HTTP, with bounds for callers that don't go on.
func NewHTTP(ctx context.Context, of http.Handler) *http.Server {
	return &http.Server{
		Handler: of, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		IdleTimeout:    2 * time.Minute,
		MaxHeaderBytes: 16 << 10, BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: withVisitor,
	}
}

// seldom logs what any caller can cause, such as a handshake that fails, no more than rarely.
type seldom struct {
	slog.Handler
	last *logs.Rarely
}

// Handle implements slog.Handler.
func (s seldom) Handle(ctx context.Context, r slog.Record) error {
	if !s.last.Due() {
		return nil
	}
	return s.Handler.Handle(ctx, r)
}
