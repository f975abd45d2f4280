package aliyun

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// Kind says what a failed call means.
type Kind string

// Kinds of failures.
const (
	Unsent    Kind = "unsent"    // nothing was asked
	NoKeys    Kind = "no keys"   // nothing was asked, as there is nothing to sign with
	Unclear   Kind = "unclear"   // nobody knows what was done
	Throttled Kind = "throttled" // nothing was done; later it may be
	Denied    Kind = "denied"    // nothing was done: a right is missing
	NotFound  Kind = "not found"
	Quota     Kind = "quota"   // nothing was done: the account has too many
	Refused   Kind = "refused" // nothing was done: the request is wrong
)

// Error is a call that failed. It holds no secret.
type Error struct {
	Action    string
	Kind      Kind
	Status    int
	Code      string
	RequestID string
	Message   string
	Right     string        // the RAM action that is missing
	After     time.Duration // the cloud asks to wait so long

	cause error
}

// kindOf judges a refusal by its status and code. Codes that aren't documented decide nothing.
func kindOf(status int, code string) Kind {
	has := func(text string) bool { return strings.Contains(strings.ToLower(code), text) }
	switch {
	case has("throttl"), status == http.StatusTooManyRequests:
		return Throttled
	case has("signaturenonceused"):
		return Throttled // the same call with another nonce is a new one
	case status >= http.StatusInternalServerError, status < http.StatusBadRequest:
		return Unclear
	case status == http.StatusForbidden, has("nopermission"), has("forbidden.ram"):
		return Denied
	case has("quota"):
		return Quota
	case status == http.StatusNotFound, has("notfound"):
		return NotFound
	default:
		return Refused
	}
}

// Again reports whether the same call may succeed later.
func (e *Error) Again() bool { return e.Kind == Unclear || e.Kind == Throttled }

// Final reports whether nothing was done, and another try changes nothing.
func (e *Error) Final() bool { return !e.Again() && e.Kind != Unsent }

// Unwrap returns the cause, where there is one.
func (e *Error) Unwrap() error { return e.cause }

// Error names the call, what the cloud said, and what to do.
func (e *Error) Error() string {
	var said []string
	if e.Status != 0 {
		said = append(said, fmt.Sprintf("HTTP %d", e.Status))
	}
	if e.Code != "" {
		said = append(said, e.Code)
	}
	if e.RequestID != "" {
		said = append(said, "request "+e.RequestID)
	}
	text := e.Action + ": " + e.Message
	if len(said) > 0 {
		text += " (" + strings.Join(said, ", ") + ")"
	}
	return text + e.advice()
}

func (e *Error) advice() string {
	switch e.Kind {
	case NoKeys:
		return ""
	case Denied:
		return "; grant " + e.Right + " to the user or role of the worker's keys"
	case Quota:
		return "; have the quota raised, or release an instance, in the console"
	case Throttled:
		return "; there were too many calls, nothing was done"
	case Unclear:
		return "; nobody knows whether it was done, and it is looked at again"
	case Refused, NotFound:
		return "; correct the plan, or ask the vendor's support with the request's id"
	default:
		return ""
	}
}

// hide takes the keys out of what an error says, and bounds it: the cloud may repeat what it was
// sent.
func (k Keys) hide(err error) error {
	var failed *Error
	if !errors.As(err, &failed) {
		return err
	}
	for _, text := range []*string{&failed.Message, &failed.Code, &failed.RequestID, &failed.Right} {
		*text = bounded(k.without(*text))
	}
	return err
}

func (k Keys) without(text string) string {
	for _, secret := range []string{k.Secret, k.Token, k.ID} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

const longestText = 300

// bounded is the text in one line of printable characters.
func bounded(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if letters := []rune(text); len(letters) > longestText {
		return string(letters[:longestText]) + "..."
	}
	return text
}
