package control

import (
	"fmt"
	"slices"
	"strings"
)

// Bypassing names those whose applications reach a side's brokers without a gateway, and so hold up
// a move away from that side.
type Bypassing struct {
	// Groups have members that are connected to the side.
	Groups []string `json:"groups,omitempty"`
	// Topics are those to which producers have written there within the last minute.
	Topics []string `json:"topics,omitempty"`
}

// Any reports whether there are any.
func (b Bypassing) Any() bool { return len(b.Groups)+len(b.Topics) > 0 }

// BypassedError refuses a move that can be made when the applications are behind gateways. It is an
// ErrRefused.
type BypassedError struct {
	Bypassing
	text string
}

// Error implements error.
func (e *BypassedError) Error() string { return fmt.Sprintf("%s: %s", ErrRefused, e.text) }

// Unwrap says that nothing was tried.
func (e *BypassedError) Unwrap() error { return ErrRefused }

// NewBypassed refuses a move for those that bypass gateways.
func NewBypassed(by Bypassing, format string, args ...any) error {
	return &BypassedError{by, fmt.Sprintf(format, args...)}
}

// mostBypassed is how many refusals one text tells.
const mostBypassed = 5

// AllBypassed is one refusal for groups that are refused each.
func AllBypassed(refusals []*BypassedError) error {
	if len(refusals) == 0 {
		return nil
	}
	slices.SortFunc(refusals, func(a, b *BypassedError) int { return strings.Compare(a.text, b.text) })
	var sum BypassedError
	var texts []string
	for _, one := range refusals {
		sum.Groups = append(sum.Groups, one.Groups...)
		sum.Topics = append(sum.Topics, one.Topics...)
		texts = append(texts, one.text)
	}
	sum.text = strings.Join(texts[:min(len(texts), mostBypassed)], "; ")
	if more := len(texts) - mostBypassed; more > 0 {
		sum.text += fmt.Sprintf("; and %d groups more", more)
	}
	return &sum
}

// Problem is the body of every answer that isn't a success.
type Problem struct {
	Error string `json:"error"`
	// Bypassing says for whose applications a move was refused; absent where it wasn't for that.
	Bypassing *Bypassing `json:"bypassing,omitempty"`
}
