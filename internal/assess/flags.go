package assess

import (
	"slices"
	"time"

	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/failure"
	"rocketshift/plan"
)

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
		Source: plan.Cluster{NameServers: f.From, Cluster: f.Cluster, Credentials: plan.CredentialsOf(f.Credentials)},
		Target: plan.Target{Provider: plan.ProviderLocal},
	}
	if f.Name != "" {
		p.Name = f.Name
	}
	if len(f.Target) > 0 || f.TargetProxy != "" {
		p.Target = plan.Target{
			Provider: plan.ProviderExisting, NameServers: f.Target, Proxy: f.TargetProxy,
			Credentials: plan.CredentialsOf(f.TargetCredentials),
		}
	}
	if f.TargetProxy != "" { // which only gateways can move to; which ones is said later
		p.Traffic = plan.Traffic{Mode: plan.ModeGateway, Gateways: []string{gatewayHere}}
	}
	p = p.WithDefaults()
	if err := p.Validate(); err != nil {
		return p, failure.Usage("correct --from, --target or --name", "%w", err)
	}
	return p, nil
}

// opener opens the clusters of the plan.
func (f Flags) opener(lookupEnv func(string) (string, bool), root string) (connect.Opener, error) {
	o, err := connect.ForCommand(lookupEnv, f.Rate, connect.Typed{Prefix: f.Credentials, Hosts: f.From},
		connect.Typed{Prefix: f.TargetCredentials, Hosts: append(slices.Clone(f.Target), f.TargetProxy)})
	if err != nil {
		return o, failure.Usage("", "%w", err)
	}
	o.Root = root
	return o, nil
}
