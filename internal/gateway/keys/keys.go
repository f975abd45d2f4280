package keys

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"sigs.k8s.io/yaml"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
)

// file is that file.
type file struct {
	Applications []Application `json:"applications"`
	// Unsigned signs on the target for applications that don't sign, as their source doesn't ask
	// them to.
	Unsigned *Pair `json:"unsigned,omitempty"`
}

// Application is an access key of the source.
type Application struct {
	Pair
	Target *Pair `json:"target,omitempty"` // absent: the same as on the source
}

// Pair is an access key with its secret key.
type Pair struct {
	AccessKey string `json:"accessKey"`
	SecretKey string `json:"secretKey"`
}

func (k Pair) check() error {
	switch {
	case k.AccessKey == "":
		return errors.New("accessKey is missing")
	case k.SecretKey == "":
		return errors.New(k.named() + "secretKey is missing")
	}
	for _, c := range k.AccessKey {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return errors.New("only printable ASCII without quotes and backslashes is possible as accessKey")
		}
	}
	return nil
}

// Keys are what a gateway signs with.
type Keys struct {
	File    string
	last    os.FileInfo                        // of what was read
	seen    os.FileInfo                        // at the last look
	Current atomic.Pointer[map[string][2]Pair] // by the access key that a client signs with; of both sides
}

// Read reads the file if it has changed. What is wrong there leaves the keys as they are.
func (k *Keys) Read() (changed bool, err error) {
	if k.File == "" {
		return false, nil
	}
	info, err := os.Stat(k.File)
	if err != nil {
		return false, fmt.Errorf("keys of applications: %w", err)
	}
	before := k.seen
	k.seen = info
	switch {
	case info.Mode().Perm()&othersRights != 0: // also of a file that was read: its secrets are still good
		return false, fmt.Errorf(
			"keys of applications in %s: everybody on this machine may read it (mode %04o): give it mode 0600, or 0640",
			k.File, info.Mode().Perm())
	case k.last != nil && same(info, k.last):
		return false, nil
	case k.last != nil && !same(info, before):
		return false, nil // it may be half written: it is read when it is as it was at the last look
	}
	text, err := os.ReadFile(k.File)
	if err != nil {
		return false, fmt.Errorf("keys of applications: %w", err)
	}
	all, err := Parse(text)
	if err != nil {
		return false, fmt.Errorf("keys of applications in %s: %w", k.File, err)
	}
	k.last = info
	k.Current.Store(&all)
	return true, nil
}

// othersRights are those of everybody in a file's mode.
const othersRights = 0o007

// Parse reads a file of keys: those of the source and of the target, by the access key on the
// source. Errors name the line or the application.
func Parse(text []byte) (map[string][2]Pair, error) {
	var file file
	if err := yaml.UnmarshalStrict(text, &file); err != nil {
		return nil, errors.New(faultOf(err))
	}
	if file.Applications == nil && file.Unsigned == nil {
		return nil, errors.New(
			"it has neither applications nor unsigned: for no keys at all, write \"applications: []\"",
		)
	}
	all := map[string][2]Pair{}
	for i, one := range file.Applications {
		there := one.Pair
		if one.Target != nil {
			there = *one.Target
		}
		for _, pair := range []Pair{one.Pair, there} {
			if err := pair.check(); err != nil {
				return nil, fmt.Errorf("applications[%d]: %w", i, err)
			}
		}
		if _, twice := all[one.AccessKey]; twice {
			return nil, fmt.Errorf("applications[%d]: %sit is there twice", i, one.named())
		}
		all[one.AccessKey] = [2]Pair{one.Pair, there}
	}
	if file.Unsigned != nil {
		if err := file.Unsigned.check(); err != nil {
			return nil, fmt.Errorf("unsigned: %w", err)
		}
		all[""] = [2]Pair{{}, *file.Unsigned}
	}
	return all, nil
}

// Of are the keys of a client that signs with an access key; "" if it doesn't.
func (k *Keys) Of(accessKey []byte) (pair [2]Pair, known bool) {
	if all := k.Current.Load(); all != nil {
		pair, known = (*all)[string(accessKey)]
	}
	return pair, known
}

// Given reports whether there is a file of keys: then clusters have access control.
func (k *Keys) Given() bool { return k.File != "" }

// Sign signs a request anew if it must be: what goes to the source unchanged keeps its client's own
// signature. Who sends it has been judged by then.
func (k *Keys) Sign(f *wire.Frame, to routing.Side) {
	if f.Response() || to == routing.Source && !f.Touched() {
		return
	}
	accessKey := f.Get(wire.FieldAccessKey)
	if pair, known := k.Of(accessKey); known && pair[to].AccessKey != "" {
		f.Sign(pair[to].AccessKey, pair[to].SecretKey)
	}
}

func same(a, b os.FileInfo) bool { return a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() }
