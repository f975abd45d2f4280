package controlserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	gatewayaudit "rocketshift/internal/gateway/audit"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/printable"
)

// Each call that changes something is on record: a line "asked" before it, without which nothing is
// changed, and a line "ended" after it. Both have the request's id.

// audit is where such calls are recorded.
type audit struct {
	to   slog.Handler
	sync func() error // nil: a log, which is kept elsewhere
}

// auditOf records among all else that a gateway logs.
func auditOf(log *slog.Logger) audit {
	return audit{to: log.Handler().WithAttrs([]slog.Attr{slog.Bool("audit", true)})}
}

// Audit makes a file the record of all calls that change something.
func (c *Server) Audit(to *gatewayaudit.File) {
	handler := slog.NewJSONHandler(printable.JSONTo(to), nil).WithAttrs([]slog.Attr{
		slog.Bool("audit", true), slog.String("gateway", c.gateway.Name()),
	})
	c.audit = audit{handler, to.Sync}
}

// write adds a line. If it is to last, it is on disk when write returns.
func (a audit) write(lasts bool, event string, about []slog.Attr) error {
	r := slog.NewRecord(time.Now(), slog.LevelInfo, event, 0)
	r.AddAttrs(about...)
	if err := a.to.Handle(context.Background(), r); err != nil || !lasts || a.sync == nil {
		return err
	}
	return a.sync()
}

// Results of calls on record.
const (
	resultDone    = "done"
	resultFailed  = "failed"  // it was tried, and everything is as it was
	resultRefused = "refused" // nothing was tried
)

// change is what somebody asks for.
type change struct {
	control *Server
	about   []slog.Attr
}

// changeBy is a call that changes something.
func (c *Server) changeBy(r *http.Request, what string, about ...slog.Attr) change {
	caller := "token"
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		caller = r.TLS.PeerCertificates[0].Subject.String()
	}
	return change{c, append([]slog.Attr{
		slog.String("what", what), slog.String("request", r.Header.Get(requestID)),
		slog.String("caller", caller), slog.String("client", r.RemoteAddr),
	}, about...)}
}

var errNotRecorded = errors.New("nothing was changed, as it can't be recorded who asks for it")

// asked records that it was asked for. Without that, it must not be done.
func (c change) asked(w http.ResponseWriter) bool {
	err := c.control.audit.write(true, "asked", append(c.about, c.epoch()))
	if err == nil {
		return true
	}
	c.control.gateway.Log().Error("a change was refused, as it can't be recorded", "cause", err)
	problem(w, http.StatusServiceUnavailable, fmt.Errorf("%w: %w", errNotRecorded, err))
	return false
}

// ended records what became of it. It is so already: a line that can't be written is told in the
// log.
func (c change) ended(lasts bool, result string, cause string, epochBefore int64) {
	about := append(c.about, slog.String("result", result), slog.Int64("epochBefore", epochBefore),
		c.epoch())
	if cause != "" {
		about = append(about, slog.String("cause", cause))
	}
	if err := c.control.audit.write(lasts, "ended", about); err != nil {
		c.control.gateway.Log().Error("what became of a change can't be recorded", "result", result,
			"cause", err)
	}
}

// endedBy is ended by what an error says.
func (c change) endedBy(lasts bool, err error, epochBefore int64) {
	if err != nil {
		c.ended(lasts, resultRefused, err.Error(), epochBefore)
		return
	}
	c.ended(lasts, resultDone, "", epochBefore)
}

func (c change) epoch() slog.Attr {
	return slog.Int64("epoch", c.control.gateway.Epoch())
}

// requestID is the header that names a request, from the caller on.
const requestID = "X-Request-Id"

// longestRequest is as long as ids of requests are elsewhere: a UUID has 36 bytes.
const longestRequest = 64

// nameRequest gives a request an id, unless its caller did.
func nameRequest(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get(requestID)
	plain := id != "" && len(id) <= longestRequest
	for _, c := range []byte(id) {
		plain = plain && c > ' ' && c < 0x7f
	}
	if !plain {
		id = rand.Text()
		r.Header.Set(requestID, id)
	}
	w.Header().Set(requestID, id)
}

// mostNamed is how many names of what moves a line has: a move may have thousands.
const mostNamed = 100

func named(key string, all []string) slog.Attr {
	return slog.Any(key, all[:min(len(all), mostNamed)])
}

// namedQueues are how many there are, and the names of the first.
func namedQueues(all []control.TopicQueue) []slog.Attr {
	var names []string
	for _, q := range all[:min(len(all), mostNamed)] {
		names = append(names, q.Topic+" "+q.Queue.String())
	}
	return []slog.Attr{slog.Int("queues", len(all)), slog.Any("queueNames", names)}
}

// attrs are what is on record of a move.
func MoveAttrs(m control.Move) []slog.Attr {
	about := []slog.Attr{
		slog.String("id", m.ID), slog.String("kind", m.Kind), slog.String("to", m.To),
		slog.String("reason", m.Reason), named("topics", m.Topics), named("groups", m.Groups),
		named("accept", m.Accept),
	}
	if m.WithoutTarget {
		about = append(about, slog.Bool("withoutTarget", true), slog.String("by", m.By))
	}
	return append(about, namedQueues(m.Queues)...)
}

// attrs are what is on record of a round.
func roundAttrs(r store.Round) []slog.Attr {
	about := []slog.Attr{
		slog.String("id", r.ID), slog.String("kind", r.Kind), slog.String("to", r.To),
		slog.String("leader", r.Leader), slog.String("group", r.Group), slog.String("reason", r.Reason),
	}
	if r.WithoutTarget {
		about = append(about, slog.Bool("withoutTarget", true))
	}
	return append(about, namedQueues(r.Queues)...)
}

// attrs are what is on record of a migration.
func migrationAttrs(m control.Migration) []slog.Attr {
	var gateways []string
	for _, p := range m.Gateways {
		gateways = append(gateways, p.Name+" "+p.Control)
	}
	return []slog.Attr{
		slog.String("migration", m.Name), named("nameServers", m.NameServers),
		slog.String("cluster", m.Cluster), slog.String("proxy", m.Proxy), named("gateways", gateways),
	}
}
