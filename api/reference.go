package api

import (
	"fmt"
	"regexp"
)

// Largest is the most bytes of one document. An inventory of 10,000 topics and 10,000 groups has
// 4 MB, and a damaged store must not fill a worker's memory.
const Largest = 64 << 20

// Reference tells a document from all others.
type Reference struct {
	Kind      string `json:"kind"`      // what it holds, such as inventory or ledger
	Migration string `json:"migration"` // its migration, which is its folder in the store
	Digest    string `json:"digest"`    // SHA-256 of its bytes, 64 hex digits
	Bytes     int    `json:"bytes"`
}

// String names the document as people find it in the store.
func (r Reference) String() string { return fmt.Sprintf("%s (%s)", r.Key(), r.Kind) }

// Key is where the document lies in its store.
func (r Reference) Key() string { return r.Migration + "/" + r.Digest + ".json" }

// Forms of a reference's fields: it comes from outside, and names a place in the store.
var (
	validDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)
	validName   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
)

// Check says what is wrong with a reference, or nil.
func (r Reference) Check() error {
	switch {
	case !validDigest.MatchString(r.Digest):
		return fmt.Errorf("document digest %q: want 64 hex digits", r.Digest)
	case !validName.MatchString(r.Migration):
		return fmt.Errorf("document of migration %q: want a plan's name: a-z, 0-9 and -", r.Migration)
	case r.Bytes < 0 || r.Bytes > Largest:
		return fmt.Errorf("document %s: it says %d bytes, at most are %d", r, r.Bytes, Largest)
	}
	return nil
}
