package connect

import (
	"strings"

	"golang.org/x/time/rate"

	"rocketshift/internal/clusters"
	"rocketshift/internal/secrets"
)

// DefaultRate is how many calls per second a command makes to both sides together unless told
// otherwise. A broker serves thousands; one application instance sends a few.
const DefaultRate = 200

// Typed are the keys that a person types on a command line beside a cluster's addresses.
type Typed struct {
	Prefix string   // of the environment variables that have the keys; "" without keys
	Hosts  []string // host:port, each entry one or several separated by commas
}

// ForCommand is an opener with the keys of this process and at most so many calls per second to
// both sides together; 0 is no bound. Who types a prefix beside addresses allows it for these; a
// plan's need ROCKETSHIFT_SECRETS, as at a worker. The error says what is wrong with that variable.
func ForCommand(
	lookupEnv func(string) (string, bool), perSecond float64, sides ...Typed,
) (Opener, error) {
	getenv := func(name string) string { v, _ := lookupEnv(name); return v }
	allowed := getenv(secrets.Variable)
	for _, side := range sides {
		hosts := strings.FieldsFunc(strings.Join(side.Hosts, ","), func(r rune) bool { return r == ',' })
		if side.Prefix != "" && len(hosts) > 0 {
			allowed += " " + side.Prefix + "=" + strings.Join(hosts, ",")
		}
	}
	store, err := secrets.New(allowed, getenv)
	if err != nil {
		return Opener{}, err
	}
	return Opener{Pool: NewPool(), Secrets: store, Limit: Limit(perSecond)}, nil
}

// Limit bounds calls; nil, which is no bound, for 0. Bursts are as long as calls may be made side
// by side.
func Limit(perSecond float64) *rate.Limiter {
	if perSecond <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(perSecond), clusters.Together)
}
