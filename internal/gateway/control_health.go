package gateway

import "net/http"

// How a gateway is.
const (
	healthReady = "ready"
	// healthDoubt: whether the last move was decided isn't known yet.
	healthDoubt = "inDoubt"
	// healthUnsaved: what it decided isn't on its disk.
	healthUnsaved = "unsaved"
	// healthOpen: a broker lets everybody in who comes from the gateway.
	healthOpen = "open"
	// healthFenced: no broker of either side renews its lease.
	healthFenced = "fenced"
)

// Health is how a gateway is, for probes.
type Health struct {
	Gateway string `json:"gateway"`
	State   string `json:"state"`            // ready, unsaved, open, inDoubt or fenced
	Reason  string `json:"reason,omitempty"` // what doesn't work, and why
}

// Health says how the gateway is. It serves in any state, from the last homes that it knows.
func (g *Gateway) Health() Health {
	h := Health{Gateway: g.config.Name, State: healthReady}
	if why := g.StateProblem(); why != "" {
		h.State, h.Reason = healthUnsaved, why+": nothing can be moved"
	}
	if why := g.letsEverybodyIn(); why != nil {
		h.State, h.Reason = healthOpen, why.Error()
	}
	if _, doubt := g.underWay(); doubt {
		h.State = healthDoubt
		h.Reason = "whether the last move was decided isn't known yet: sends to its ordered topics are " +
			"refused until it is"
	}
	if g.fenced.Load() {
		h.State = healthFenced
		h.Reason = "no broker of either side renews its lease, and other gateways may have moved on: " +
			"sends to ordered topics are refused"
	}
	return h
}

// HealthHandler answers probes, of which each needs no token.
func (g *Gateway) HealthHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.tellHealth(w, r) {
			http.NotFound(w, r)
		}
	})
}

// tellHealth answers a probe; false if the request is none. A fenced gateway isn't ready:
// applications have a better one. It is alive, though: killed, it would serve nobody.
func (g *Gateway) tellHealth(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	h := g.Health()
	status := http.StatusOK
	switch r.URL.Path {
	case "/livez":
	case "/healthz", "/readyz":
		if h.State == healthFenced {
			status = http.StatusServiceUnavailable
		}
	default:
		return false
	}
	answer(w, status, h)
	return true
}
