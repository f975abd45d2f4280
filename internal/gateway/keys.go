package gateway

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"sigs.k8s.io/yaml"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/sleep"
)

// A request that the gateway changes, or that goes to the target under other keys, needs a new
// signature, and for that the gateway is given the secrets of applications in a file. With them it
// verifies the clients' own (credentials.go).

// keyFile is that file.
type keyFile struct {
	Applications []application `json:"applications"`
	// Unsigned signs on the target for applications that don't sign, as their source doesn't ask
	// them to.
	Unsigned *keyPair `json:"unsigned,omitempty"`
}

// application is an access key of the source.
type application struct {
	keyPair
	Target *keyPair `json:"target,omitempty"` // absent: the same as on the source
}

type keyPair struct {
	AccessKey string `json:"accessKey"`
	SecretKey string `json:"secretKey"`
}

func (k keyPair) check() error {
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

// keys are what a gateway signs with.
type keys struct {
	file string
	last os.FileInfo                           // of what was read
	seen os.FileInfo                           // at the last look
	now  atomic.Pointer[map[string][2]keyPair] // by the access key that a client signs with; of both sides
}

// read reads the file if it has changed. What is wrong there leaves the keys as they are.
func (k *keys) read() (changed bool, err error) {
	if k.file == "" {
		return false, nil
	}
	info, err := os.Stat(k.file)
	if err != nil {
		return false, fmt.Errorf("keys of applications: %w", err)
	}
	before := k.seen
	k.seen = info
	switch {
	case info.Mode().Perm()&othersRights != 0: // also of a file that was read: its secrets are still good
		return false, fmt.Errorf(
			"keys of applications in %s: everybody on this machine may read it (mode %04o): give it mode 0600, or 0640",
			k.file, info.Mode().Perm())
	case k.last != nil && same(info, k.last):
		return false, nil
	case k.last != nil && !same(info, before):
		return false, nil // it may be half written: it is read when it is as it was at the last look
	}
	text, err := os.ReadFile(k.file)
	if err != nil {
		return false, fmt.Errorf("keys of applications: %w", err)
	}
	all, err := parseKeys(text)
	if err != nil {
		return false, fmt.Errorf("keys of applications in %s: %w", k.file, err)
	}
	k.last = info
	k.now.Store(&all)
	return true, nil
}

// othersRights are those of everybody in a file's mode.
const othersRights = 0o007

func parseKeys(text []byte) (map[string][2]keyPair, error) {
	var file keyFile
	if err := yaml.UnmarshalStrict(text, &file); err != nil {
		return nil, errors.New(faultOf(err))
	}
	if file.Applications == nil && file.Unsigned == nil {
		return nil, errors.New(
			"it has neither applications nor unsigned: for no keys at all, write \"applications: []\"",
		)
	}
	all := map[string][2]keyPair{}
	for i, one := range file.Applications {
		there := one.keyPair
		if one.Target != nil {
			there = *one.Target
		}
		for _, pair := range []keyPair{one.keyPair, there} {
			if err := pair.check(); err != nil {
				return nil, fmt.Errorf("applications[%d]: %w", i, err)
			}
		}
		if _, twice := all[one.AccessKey]; twice {
			return nil, fmt.Errorf("applications[%d]: %sit is there twice", i, one.named())
		}
		all[one.AccessKey] = [2]keyPair{one.keyPair, there}
	}
	if file.Unsigned != nil {
		if err := file.Unsigned.check(); err != nil {
			return nil, fmt.Errorf("unsigned: %w", err)
		}
		all[""] = [2]keyPair{{}, *file.Unsigned}
	}
	return all, nil
}

// of are the keys of a client that signs with an access key; "" if it doesn't.
func (k *keys) of(accessKey []byte) (pair [2]keyPair, known bool) {
	if all := k.now.Load(); all != nil {
		pair, known = (*all)[string(accessKey)]
	}
	return pair, known
}

// given reports whether there is a file of keys: then clusters have access control.
func (k *keys) given() bool { return k.file != "" }

// sign signs a request anew if it must be: what goes to the source unchanged keeps its client's own
// signature. Who sends it has been judged by then.
func (k *keys) sign(f *wire.Frame, to routing.Side) {
	if f.Response() || to == routing.Source && !f.Touched() {
		return
	}
	accessKey := f.Get(wire.FieldAccessKey)
	if pair, known := k.of(accessKey); known && pair[to].AccessKey != "" {
		f.Sign(pair[to].AccessKey, pair[to].SecretKey)
	}
}

// keysAgain is how often the file is looked at: an application that was added may go on soon.
const keysAgain = 2 * time.Second

func (g *Gateway) readKeysAgain() {
	said := ""
	for sleep.For(g.ctx, keysAgain) == nil {
		changed, err := g.keys.read()
		for _, s := range g.all() { // clients say who they are every 30 s only
			s.mu.Lock()
			identity, beat, again := s.identity, s.beat, changed || len(s.unwelcome) > 0
			s.mu.Unlock()
			if again {
				g.mirrors.beat(s, identity, beat)
			}
		}
		if err == nil {
			said = ""
		} else if said != err.Error() {
			said = err.Error()
			g.log.Warn("the keys stay as they were", "cause", err)
		}
	}
}

// heard takes note of what a broker said to a client's heartbeat that the gateway has sent.
func (s *session) heard(from routing.Dest, f *wire.Frame) {
	if from.Side == routing.Source {
		if f.Code != remoting.Success {
			s.mayNotReturn(f)
		}
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Code == remoting.Success {
		delete(s.unwelcome, from.Broker)
		return
	}
	if s.unwelcome == nil {
		s.unwelcome = map[string]string{}
	}
	s.unwelcome[from.Broker] = fmt.Sprintf("target broker %s answers its heartbeat with code %d: %.200s",
		from.Broker, f.Code, f.Remark)
}

// problem is why a client can't be served once something is on the target; "" if it can. Callers
// hold s.mu.
func (s *session) problem() string {
	if _, known := s.keys.of([]byte(s.accessKey)); !known {
		switch {
		case s.accessKey != "":
			return "signs with access key " + s.accessKey + ", of which the gateway has no secret: add it to " +
				"the file of --keys"
		case s.keys.given():
			return "doesn't sign, and the file of --keys has no unsigned, by which it could be signed for on " +
				"the target: add that, or have it sign"
		}
	}
	for _, broker := range sortedKeys(s.unwelcome) {
		return s.unwelcome[broker]
	}
	return ""
}

func same(a, b os.FileInfo) bool { return a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() }
