package assess

import (
	"strings"
	"time"

	"golang.org/x/time/rate"

	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/failure"
	"rocketshift/internal/secrets"
	"rocketshift/plan"
)

// DefaultRate is how many calls per second go to both sides together unless told otherwise. A broker
// serves thousands; one application instance sends a few.
const DefaultRate = 200

// Flags are what the command line says of clusters and bounds.
type Flags struct {
	From        []string // name servers, where there is no plan yet
	Target      []string // name servers of a target that exists already
	TargetProxy string
	Cluster     string // the source's own name
	Name        string // of the plan
	// Credentials and TargetCredentials are prefixes of environment variables; of a plan's, the plan
	// says them.
	Credentials, TargetCredentials string
	Rate                           float64       // calls per second, 0 for no bound
	Observe                        time.Duration // how long to watch who connects
	Seen                           string        // the file that keeps what was seen
}

// defaultName is what a migration is called of which nothing is known yet.
const defaultName = "my-migration"

// Plan is the plan that the flags mean, where no file has one.
func (f Flags) Plan() (plan.Plan, error) {
	p := plan.Plan{
		Name:   defaultName,
		Source: plan.Cluster{NameServers: f.From, Cluster: f.Cluster, Credentials: prefixed(f.Credentials)},
		Target: plan.Target{Provider: plan.ProviderLocal},
	}
	if f.Name != "" {
		p.Name = f.Name
	}
	if len(f.Target) > 0 || f.TargetProxy != "" {
		p.Target = plan.Target{
			Provider: plan.ProviderExisting, NameServers: f.Target, Proxy: f.TargetProxy,
			Credentials: prefixed(f.TargetCredentials),
		}
	}
	if f.TargetProxy != "" { // which only gateways can move to; which ones is said later
		p.Traffic = plan.Traffic{Mode: plan.ModeGateway, Gateways: []string{"127.0.0.1:8089"}}
	}
	p = p.WithDefaults()
	if err := p.Validate(); err != nil {
		return p, failure.Usage("correct --from, --target or --name", "%w", err)
	}
	return p, nil
}

func prefixed(env string) *plan.Credentials {
	if env == "" {
		return nil
	}
	return &plan.Credentials{Env: env}
}

// limit is the bound of calls. Bursts are as long as calls may be made side by side.
func (f Flags) limit() *rate.Limiter {
	if f.Rate <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(f.Rate), clusters.Together)
}

// opener opens the clusters of the plan with the keys of this process. Who types a prefix beside
// addresses allows it for these; a plan's need ROCKETSHIFT_SECRETS, as at a worker.
func (f Flags) opener(lookupEnv func(string) (string, bool), root string) (connect.Opener, error) {
	getenv := func(name string) string { v, _ := lookupEnv(name); return v }
	allowed := getenv(secrets.Variable)
	for prefix, hosts := range map[string][]string{
		f.Credentials: f.From, f.TargetCredentials: append(f.Target, f.TargetProxy),
	} {
		hosts = strings.FieldsFunc(strings.Join(hosts, ","), func(r rune) bool { return r == ',' })
		if prefix != "" && len(hosts) > 0 {
			allowed += " " + prefix + "=" + strings.Join(hosts, ",")
		}
	}
	store, err := secrets.New(allowed, getenv)
	if err != nil {
		return connect.Opener{}, failure.Usage("", "%w", err)
	}
	return connect.Opener{Pool: connect.NewPool(), Secrets: store, Root: root, Limit: f.limit()}, nil
}
