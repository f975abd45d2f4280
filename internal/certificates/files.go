// Package certificates reads certificates, keys and authorities from files, and again when these
// change: whoever replaces them restarts nothing.
package certificates

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync"
)

// Files is what some files hold. They are looked at each time that somebody asks, and read when one
// of them has changed. While what they hold can't be read, what was right last stays in use.
type Files[T any] struct {
	what  string // for errors
	names []string
	read  func() (*T, error)

	// Failed, if given, is told why what the files hold now isn't used: once, until that changes.
	Failed func(error)

	mu     sync.Mutex
	seen   []os.FileInfo // as the files were when they were last read
	now    *T
	failed error
}

// NewPair is a certificate in one PEM file and its key in another. what names it in errors.
func NewPair(what, certificate, key string) *Files[tls.Certificate] {
	return &Files[tls.Certificate]{
		what: what, names: []string{certificate, key},
		read: func() (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(certificate, key)
			if err != nil {
				return nil, fmt.Errorf("%s in %s with the key in %s: %w", what, certificate, key, err)
			}
			return &pair, nil
		},
	}
}

// NewAuthorities are those whose certificates a PEM file holds. what names them in errors.
func NewAuthorities(what, file string) *Files[x509.CertPool] {
	return &Files[x509.CertPool]{what: what, names: []string{file}, read: func() (*x509.CertPool,
		error,
	) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s: %s holds no certificate in PEM form", what, file)
		}
		return pool, nil
	}}
}

// Current is what the files hold: if that is wrong, maybe because they are just being replaced,
// what they held when it was right last, which is nil if it never was. The error says what is
// wrong.
func (f *Files[T]) Current() (*T, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := make([]os.FileInfo, len(f.names))
	for i, name := range f.names {
		info, err := os.Stat(name)
		if err != nil {
			return f.now, f.fails(fmt.Errorf("%s: %w", f.what, err))
		}
		seen[i] = info
	}
	if f.now != nil && same(seen, f.seen) {
		return f.now, f.fails(nil)
	}
	read, err := f.read()
	if err != nil {
		return f.now, f.fails(err)
	}
	f.now, f.seen = read, seen
	return f.now, f.fails(nil)
}

// fails takes note of what is wrong now, and tells it if it wasn't so before.
func (f *Files[T]) fails(err error) error {
	before := f.failed
	f.failed = err
	if err != nil && f.Failed != nil && (before == nil || before.Error() != err.Error()) {
		f.Failed(err)
	}
	return err
}

func same(a, b []os.FileInfo) bool {
	for i := range a {
		if !a[i].ModTime().Equal(b[i].ModTime()) || a[i].Size() != b[i].Size() || !os.SameFile(a[i],
			b[i]) {
			return false
		}
	}
	return true
}
