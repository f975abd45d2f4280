package controlserver

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/logs"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/printable"
)

// Server is the API through which people and activities steer a gateway: HTTP with JSON, as
// docs/reference/gateway-api.yaml describes it. Who calls it must know its token.
type Server struct {
	gateway Steered
	token   [sha256.Size]byte
	audit   audit

	strangers, broken logs.Rarely
}

// Steered is the gateway that the API steers.
type Steered interface {
	Name() string
	Log() *slog.Logger
	Health() Health
	State() control.State
	// Epoch counts the moves that were done.
	Epoch() int64
	// Members are the members of a group behind the gateway.
	Members(group string) control.Members
	// Origins are the addresses that its connections to brokers come from.
	Origins() control.Origins
	Use(ctx context.Context, m control.Migration) error
	Move(ctx context.Context, m control.Move) (control.Moved, error)
	// MoveOf is what became of a move, if that is known.
	MoveOf(id string) (control.Moved, bool)
	// Replica is what it has decided, for others that have missed something.
	Replica() store.Replica
	// Participant is its part in rounds that other gateways lead.
	Participant() store.Participant
}

// New makes the API. A token of less than 16 bytes is refused.
func New(g Steered, token string) (*Server, error) {
	if len(token) < 16 {
		return nil, errors.New("gateway: the token of the control API has less than 16 bytes: anybody may guess it")
	}
	return &Server{gateway: g, token: sha256.Sum256([]byte(token)), audit: auditOf(g.Log())}, nil
}

// mostRequest bounds a request's body: a move of 10,000 queues by name takes about 1 MB.
const mostRequest = 8 << 20

// Handler serves the API.
func (c *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/state",
		func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, c.gateway.State()) })
	mux.HandleFunc("GET /v1/members", c.members)
	mux.HandleFunc("PUT /v1/migration", c.use)
	mux.HandleFunc("POST /v1/moves", c.move)
	mux.HandleFunc("GET /v1/moves/{id}", c.moved)
	mux.HandleFunc("GET /v1/replica",
		func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, c.gateway.Replica()) })
	mux.HandleFunc("GET /v1/origins",
		func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, c.gateway.Origins()) })
	mux.HandleFunc("POST /v1/rounds/prepare", c.prepare)
	mux.HandleFunc("POST /v1/rounds/ready", c.ready)
	mux.HandleFunc("POST /v1/rounds/commit", c.ends("round commit", c.gateway.Participant().Commit))
	mux.HandleFunc("POST /v1/rounds/abort", c.ends("round abort", c.gateway.Participant().Abort))
	return c.checked(mux)
}

// checked lets nobody in who doesn't know the token.
func (c *Server) checked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tellHealth(c.gateway, w, r) {
			return
		}
		nameRequest(w, r)
		token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		sum := sha256.Sum256([]byte(token))
		if !bearer || subtle.ConstantTimeCompare(sum[:], c.token[:]) != 1 {
			if c.strangers.Due() {
				c.gateway.Log().Warn("a caller of the control API has a wrong token", "client", r.RemoteAddr)
			}
			w.Header().Set("WWW-Authenticate", "Bearer")
			w.Header().Set("Connection", "close") // its place is for those who know it
			problem(w, http.StatusUnauthorized,
				errors.New("the token is missing or wrong: send Authorization: Bearer <token>"))
			return
		}
		knownVisitor(r.Context())
		r.Body = http.MaxBytesReader(w, r.Body, mostRequest)
		next.ServeHTTP(w, r)
	})
}

func (c *Server) use(w http.ResponseWriter, r *http.Request) {
	var m control.Migration
	if !read(w, r, &m) {
		return
	}
	change, before := c.changeBy(r, "migration", migrationAttrs(m)...), c.gateway.Epoch()
	if !change.asked(w) {
		return
	}
	err := c.gateway.Use(r.Context(), m)
	change.endedBy(true, err, before)
	if err != nil {
		problem(w, http.StatusConflict, err)
		return
	}
	answer(w, http.StatusOK, c.gateway.State())
}

func (c *Server) move(w http.ResponseWriter, r *http.Request) {
	var m control.Move
	if !read(w, r, &m) {
		return
	}
	change, before := c.changeBy(r, "move", MoveAttrs(m)...), c.gateway.Epoch()
	if !change.asked(w) {
		return
	}
	// A caller that goes away doesn't stop a move in its middle: the budget ends it.
	was, err := c.gateway.Move(context.WithoutCancel(r.Context()), m)
	switch {
	case err != nil || was.Done:
		change.endedBy(true, err, before)
	default:
		change.ended(true, resultFailed, was.Reason, before)
	}
	switch {
	case errors.Is(err, control.ErrRefused):
		problem(w, http.StatusConflict, err)
	case err != nil:
		problem(w, http.StatusBadGateway, err)
	default:
		answer(w, http.StatusOK, was)
	}
}

func (c *Server) moved(w http.ResponseWriter, r *http.Request) {
	was, there := c.gateway.MoveOf(r.PathValue("id"))
	if !there {
		problem(w, http.StatusNotFound,
			fmt.Errorf("move %s isn't known: it was not done, or long ago", r.PathValue("id")))
		return
	}
	answer(w, http.StatusOK, was)
}

func (c *Server) prepare(w http.ResponseWriter, r *http.Request) {
	var round store.Round
	if !read(w, r, &round) {
		return
	}
	change, before := c.changeBy(r, "round prepare", roundAttrs(round)...), c.gateway.Epoch()
	if !change.asked(w) { // before anything waits for it
		return
	}
	known, err := c.gateway.Participant().Prepare(context.WithoutCancel(r.Context()), round)
	if err != nil {
		change.endedBy(true, err, before)
	}
	said(w, known, err)
}

func (c *Server) ready(w http.ResponseWriter, r *http.Request) {
	var is store.Ended
	if !read(w, r, &is) {
		return
	}
	if is.Outcome == nil {
		problem(w, http.StatusBadRequest, errors.New("the request's body: outcome is missing"))
		return
	}
	change := c.changeBy(r, "round ready", slog.String("id", is.ID))
	before := c.gateway.Epoch()
	err := c.gateway.Participant().Ready(r.Context(), is.ID, *is.Outcome)
	change.endedBy(false, err, before) // applications wait: the round's end brings it to disk
	said(w, struct{}{}, err)
}

// ends is a call that ends a round. That it is recorded is no condition: gateways must end a round
// alike, and it was recorded when it began.
func (c *Server) ends(what string, how func(context.Context, string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var is store.Ended
		if !read(w, r, &is) {
			return
		}
		change, before := c.changeBy(r, what, slog.String("id", is.ID)), c.gateway.Epoch()
		err := how(r.Context(), is.ID)
		change.endedBy(true, err, before)
		said(w, struct{}{}, err)
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

// read takes a request's body; what it doesn't know is refused, as a misspelt key would change the
// meaning.
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

func problem(w http.ResponseWriter, status int, err error) {
	says := control.Problem{Error: err.Error()}
	var refusal *control.BypassedError
	if errors.As(err, &refusal) {
		says.Bypassing = &refusal.Bypassing
	}
	answer(w, status, says)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	text, err := json.Marshal(body)
	if err != nil { // no body holds what JSON can't say
		return
	}
	_, _ = w.Write(append(printable.JSON(text), '\n')) // people look at it on terminals
}

// members answers with those of a group.
func (c *Server) members(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, c.gateway.Members(r.URL.Query().Get("group")))
}
