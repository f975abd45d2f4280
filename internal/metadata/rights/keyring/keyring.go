// Package keyring holds the secrets of users on their way from a file or a broker to brokers. A
// ring shows none of them, however it is printed or encoded.
package keyring

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"strings"
)

// Ring is secrets by the names of their users. The zero value is empty, and Put makes it usable.
type Ring struct{ secrets map[string]string }

// Put keeps a user's secret.
func (r *Ring) Put(user, secret string) {
	if r.secrets == nil {
		r.secrets = map[string]string{}
	}
	r.secrets[user] = secret
}

// Of is a user's secret, if it is known. Only what signs or creates users asks for it.
func (r *Ring) Of(user string) (secret string, known bool) {
	if r == nil {
		return "", false
	}
	secret, known = r.secrets[user]
	return secret, known
}

// Same reports whether both rings know the user's secret, and it is one.
func (r *Ring) Same(other *Ring, user string) bool {
	here, known := r.Of(user)
	there, also := other.Of(user)
	return known && also && subtle.ConstantTimeCompare([]byte(here), []byte(there)) == 1
}

// hidden is what is seen of a ring.
func (r *Ring) hidden() string {
	if r == nil {
		return "no secrets"
	}
	return fmt.Sprintf("%d secrets", len(r.secrets))
}

// String hides the secrets.
func (r *Ring) String() string { return r.hidden() }

// Format hides the secrets from every verb.
func (r *Ring) Format(to fmt.State, _ rune) { _, _ = to.Write([]byte(r.hidden())) }

// GoString hides the secrets from %#v.
func (r *Ring) GoString() string { return r.hidden() }

// MarshalText hides the secrets in JSON, YAML and logs.
func (r *Ring) MarshalText() ([]byte, error) { return []byte(r.hidden()), nil }

// LogValue hides the secrets from structured logs.
func (r *Ring) LogValue() slog.Value { return slog.StringValue(r.hidden()) }

// Scrubbed is a text, such as a server's remark, without the secrets that the ring knows.
func (r *Ring) Scrubbed(text string) string {
	if r == nil {
		return text
	}
	for _, secret := range r.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// Made is a new secret: 26 letters and digits, 130 bits of chance.
func Made() string { return rand.Text() }
