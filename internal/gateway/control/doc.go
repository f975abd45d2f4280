// Package control is what callers of a gateway's control API need: its client, the state that a
// gateway tells of itself, and moves with what becomes of them. docs/reference/control-api.md is
// about the same for callers in other languages.
package control
