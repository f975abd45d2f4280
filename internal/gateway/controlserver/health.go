package controlserver

import "net/http"

// How a gateway is.
const (
	HealthReady = "ready"
	// HealthDoubt: whether the last move was decided isn't known yet.
	HealthDoubt = "inDoubt"
	// HealthUnsaved: what it decided isn't on its disk.
	HealthUnsaved = "unsaved"
	// HealthOpen: a broker lets everybody in who comes from the gateway.
	HealthOpen = "open"
	// HealthFenced: no broker of either side renews its lease.
	HealthFenced = "fenced"
)

// Health is how a gateway is, for probes.
type Health struct {
	Gateway string `json:"gateway"`
	State   string `json:"state"`            // ready, unsaved, open, inDoubt or fenced
	Reason  string `json:"reason,omitempty"` // what doesn't work, and why
}

// HealthHandler answers probes, of which each needs no token.
func HealthHandler(g Steered) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !tellHealth(g, w, r) {
			http.NotFound(w, r)
		}
	})
}

// tellHealth answers a probe; false if the request is none. A fenced gateway isn't ready:
// applications have a better one. It is alive, though: killed, it would serve nobody.
func tellHealth(g Steered, w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	h := g.Health()
	status := http.StatusOK
	switch r.URL.Path {
	case "/livez":
	case "/healthz", "/readyz":
		if h.State == HealthFenced {
			status = http.StatusServiceUnavailable
		}
	default:
		return false
	}
	answer(w, status, h)
	return true
}
