// Package controlserver serves a gateway's control API: HTTP with JSON, as
// docs/reference/gateway-api.yaml describes it, with a token, TLS, bounds for callers, a record of
// who changed what, and probes. What it steers is behind an interface.
package controlserver
