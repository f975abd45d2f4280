package gateway

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Control is the API through which people and activities steer a gateway: HTTP with JSON, as docs/gateway-api.yaml describes it. Who calls it
// must know its token.
type Control struct {
	gateway *Gateway
	token   [sha256.Size]byte
}

// NewControl makes the API. A token of less than 16 bytes is refused.
func NewControl(g *Gateway, token string) (*Control, error) {
	if len(token) < 16 {
		return nil, errors.New("gateway: the token of the control API has less than 16 bytes: anybody may guess it")
	}
	return &Control{g, sha256.Sum256([]byte(token))}, nil
}

// mostRequest bounds a request's body: a move of 10,000 queues by name takes about 1 MB.
const mostRequest = 8 << 20

// Handler serves the API.
func (c *Control) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/state", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, c.gateway.State()) })
	mux.HandleFunc("PUT /v1/migration", c.use)
	mux.HandleFunc("POST /v1/moves", c.move)
	mux.HandleFunc("GET /v1/moves/{id}", c.moved)
	mux.HandleFunc("GET /v1/replica", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, c.gateway.replica()) })
	mux.HandleFunc("GET /v1/origins", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, c.gateway.tellOrigins()) })
	mux.HandleFunc("POST /v1/rounds/prepare", c.prepare)
	mux.HandleFunc("POST /v1/rounds/ready", c.ready)
	mux.HandleFunc("POST /v1/rounds/commit", c.ends(local{c.gateway}.commit))
	mux.HandleFunc("POST /v1/rounds/abort", c.ends(local{c.gateway}.abort))
	return c.checked(mux)
}

// Serve serves the API at a listener until the context ends.
func (c *Control) Serve(ctx context.Context, at net.Listener) error {
	server := &http.Server{
		Handler: c.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10, BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stopped := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stopped()
	if err := server.Serve(at); ctx.Err() == nil {
		return fmt.Errorf("gateway: control API: %w", err)
	}
	return nil
}

// checked lets nobody in who doesn't know the token.
func (c *Control) checked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			answer(w, http.StatusOK, map[string]string{"gateway": c.gateway.config.Name})
			return
		}
		token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		sum := sha256.Sum256([]byte(token))
		if !bearer || subtle.ConstantTimeCompare(sum[:], c.token[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			problem(w, http.StatusUnauthorized, errors.New("the token is missing or wrong: send Authorization: Bearer <token>"))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, mostRequest)
		next.ServeHTTP(w, r)
	})
}

func (c *Control) use(w http.ResponseWriter, r *http.Request) {
	var m Migration
	if !read(w, r, &m) {
		return
	}
	if err := c.gateway.Use(r.Context(), m); err != nil {
		problem(w, http.StatusConflict, err)
		return
	}
	answer(w, http.StatusOK, c.gateway.State())
}

func (c *Control) move(w http.ResponseWriter, r *http.Request) {
	var m Move
	if !read(w, r, &m) {
		return
	}
	// A caller that goes away doesn't stop a move in its middle: the budget ends it.
	was, err := c.gateway.Move(context.WithoutCancel(r.Context()), m)
	switch {
	case errors.Is(err, ErrRefused):
		problem(w, http.StatusConflict, err)
	case err != nil:
		problem(w, http.StatusBadGateway, err)
	default:
		answer(w, http.StatusOK, was)
	}
}

func (c *Control) moved(w http.ResponseWriter, r *http.Request) {
	was, there := c.gateway.moves.remembered(r.PathValue("id"))
	if !there {
		problem(w, http.StatusNotFound, fmt.Errorf("move %s isn't known: it was not done, or long ago", r.PathValue("id")))
		return
	}
	answer(w, http.StatusOK, was)
}

func (c *Control) prepare(w http.ResponseWriter, r *http.Request) {
	var round Round
	if !read(w, r, &round) {
		return
	}
	known, err := local{c.gateway}.prepare(context.WithoutCancel(r.Context()), round)
	said(w, known, err)
}

func (c *Control) ready(w http.ResponseWriter, r *http.Request) {
	var is ended
	if !read(w, r, &is) {
		return
	}
	if is.Outcome == nil {
		problem(w, http.StatusBadRequest, errors.New("the request's body: outcome is missing"))
		return
	}
	said(w, struct{}{}, local{c.gateway}.ready(r.Context(), is.ID, *is.Outcome))
}

// ends is a call that ends a round.
func (c *Control) ends(how func(context.Context, string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var is ended
		if read(w, r, &is) {
			said(w, struct{}{}, how(r.Context(), is.ID))
		}
	}
}

// said answers with what a part of a round has come to.
func said(w http.ResponseWriter, body any, err error) {
	if err != nil {
		problem(w, http.StatusConflict, err)
		return
	}
	answer(w, http.StatusOK, body)
}

// read takes a request's body; what it doesn't know is refused, as a misspelt key would change the meaning.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil && d.Decode(&struct{}{}) != io.EOF {
		err = errors.New("there is more behind the JSON object")
	}
	if err != nil {
		problem(w, http.StatusBadRequest, fmt.Errorf("the request's body: %w", err))
		return false
	}
	return true
}

// Problem is the body of every answer that isn't a success.
type Problem struct {
	Error string `json:"error"`
}

func problem(w http.ResponseWriter, status int, err error) {
	answer(w, status, Problem{err.Error()})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
