// Package secrets hands out what the environment of a process holds, to the hosts that its owner
// allows. A plan names hosts and the prefixes of variables: whoever may start a migration could
// otherwise have any token sent to a host of theirs, and have anything signed with any key.
package secrets

import (
	"cmp"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// Variable is the environment variable that says which secrets go to which hosts:
//
//	SOURCE=10.0.0.1:9876,10.0.0.2:9876 GATEWAY=10.0.0.9:8089
//
// lets SOURCE_ACCESS_KEY and all else that begins with SOURCE_ be used with two name servers, and
// GATEWAY_TOKEN with the gateway at https://10.0.0.9:8089. A host without a port is meant with all
// of its ports. http://10.0.0.9:8089 lets a token go there in plain text.
const Variable = "ROCKETSHIFT_SECRETS"

// Store is the environment of a process, with what its owner allows.
type Store struct {
	getenv  func(string) string
	allowed map[string][]host // by prefix
}

// host is one that is allowed.
type host struct {
	name  string
	port  string // empty: any
	plain bool   // also in plain text
}

var prefixForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

// New reads what is allowed from the text of Variable.
func New(text string, getenv func(string) string) (*Store, error) {
	s := &Store{getenv, map[string][]host{}}
	for _, entry := range strings.Fields(strings.ReplaceAll(text, ";", " ")) {
		prefix, hosts, ok := strings.Cut(entry, "=")
		if !ok || !prefixForm.MatchString(prefix) {
			return nil, fmt.Errorf("%s: want entries such as SOURCE=10.0.0.1:9876,10.0.0.2:9876, "+
				"with a space between them", Variable)
		}
		for _, one := range strings.Split(hosts, ",") {
			h, ok := parse(one)
			if !ok {
				return nil, fmt.Errorf("%s: %s: %q is no host, nor host:port, nor http://host:port", Variable,
					prefix, one)
			}
			s.allowed[prefix] = append(s.allowed[prefix], h)
		}
	}
	return s, nil
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9._:-]+$`)

func parse(text string) (h host, ok bool) {
	text, h.plain = strings.CutPrefix(text, "http://")
	text = strings.TrimPrefix(text, "https://")
	var err error
	if h.name, h.port, err = net.SplitHostPort(text); err != nil {
		h.name = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	}
	h.name = canonical(h.name)
	return h, nameForm.MatchString(h.name)
}

func canonical(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") }

// ForbiddenError says that a plan asks for a secret to be used with a host that isn't allowed.
type ForbiddenError struct{ text string }

func (e *ForbiddenError) Error() string { return e.text }

// MissingError says that the environment doesn't have a secret.
type MissingError struct{ text string }

func (e *MissingError) Error() string { return e.text }

func forbidden(format string, args ...any) error {
	return &ForbiddenError{fmt.Sprintf(format, args...)}
}

func missing(format string, args ...any) error {
	return &MissingError{fmt.Sprintf(format, args...)}
}

// Keys are those that a part of a plan, such as source, names for a cluster at these addresses; nil
// without any.
func (s *Store) Keys(
	part string, c *plan.Credentials, addresses []string,
) (*remoting.Credentials, error) {
	if c == nil {
		return nil, nil //nolint:nilnil // none are asked for
	}
	for _, address := range addresses {
		if _, allowed := s.find(c.Env, address); !allowed {
			return nil, forbidden("%s.credentials: this worker doesn't use %s_ACCESS_KEY with %s, as its own "+
				"configuration doesn't name that host: set %s=\"%s=%s\", beside what it has, where the worker "+
				"runs and restart it, or correct the plan",
				part, c.Env, address, Variable, c.Env, strings.Join(addresses, ","))
		}
	}
	keys, whole := remoting.CredentialsOf(c.Env, s.getenv)
	if !whole {
		return nil, missing("%s.credentials: the worker's environment has no %s_ACCESS_KEY and "+
			"%s_SECRET_KEY: set both where the worker runs and restart it", part, c.Env, c.Env)
	}
	return keys, nil
}

// Gateways is what a caller of gateways needs.
type Gateways struct {
	Prefix        string // of the variables
	Token         string
	CA, Cert, Key string // files, of <Prefix>_CA, <Prefix>_CERT and <Prefix>_KEY; empty if not set
	Plain         bool   // the token may go over a network in plain text
}

// DefaultGateways is the prefix of gateways' variables where a plan names none. It is allowed on
// the worker's own machine.
const DefaultGateways = "ROCKETSHIFT_GATEWAY"

// Gateways is what a plan's traffic needs for its gateways.
func (s *Store) Gateways(t plan.Traffic) (Gateways, error) {
	prefix := strings.TrimSuffix(t.GatewayToken(), "_TOKEN")
	g := Gateways{Prefix: prefix}
	for _, address := range t.Gateways {
		at, secure := strings.CutPrefix(address, "https://")
		h, allowed := s.find(prefix, at)
		switch {
		case !allowed:
			return g, forbidden("traffic.gateways: this worker doesn't send %s_TOKEN to %s, as its own "+
				"configuration doesn't name that host: set %s=\"%s=%s\", beside what it has, where the worker "+
				"runs and restart it, or correct the plan", prefix, at, Variable, prefix, at)
		case !secure && !h.plain && !loopback(at):
			return g, forbidden("traffic.gateways: %s_TOKEN would go to %s in plain text over a network: give "+
				"the gateway a certificate (--control-tls-cert) and name it https://%s in the plan, or allow it "+
				"by %s=\"%s=http://%s\" where the worker runs and restart it",
				prefix, at, at, Variable, prefix, at)
		case !secure && !loopback(at):
			g.Plain = true
		}
	}
	if g.Token = s.getenv(prefix + "_TOKEN"); g.Token == "" {
		return g, missing("the worker's environment has no %s_TOKEN: set the gateway's token where the worker "+
			"runs and restart it", prefix)
	}
	g.CA, g.Cert, g.Key = s.getenv(prefix+"_CA"), s.getenv(prefix+"_CERT"), s.getenv(prefix+"_KEY")
	return g, nil
}

// find is how a host is allowed to be sent what begins with a prefix.
func (s *Store) find(prefix, address string) (found host, allowed bool) {
	name, port, err := net.SplitHostPort(address)
	if err != nil {
		return host{}, false
	}
	name = canonical(name)
	matching := slices.DeleteFunc(slices.Clone(s.allowed[prefix]), func(h host) bool {
		return h.name != name || cmp.Or(h.port, port) != port
	})
	for _, h := range matching {
		found.plain = found.plain || h.plain
	}
	return found, len(matching) > 0 || prefix == DefaultGateways && loopback(address)
}

// loopback reports whether what is sent to an address stays on this machine.
func loopback(address string) bool {
	name, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(name)
	return err == nil && (name == "localhost" || ip != nil && ip.IsLoopback())
}
