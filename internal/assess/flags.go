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
	// Cluster and TargetCluster are the sides' own names, where name servers know several clusters.
	Cluster, TargetCluster string
	// Reached and TargetReached are where servers are reached that advertise other addresses:
	// host:port by the advertised host:port.
	Reached, TargetReached map[string]string
	LeftOut, ReadSlaves    []string // brokers of the source, as in the plan
	Name                   string   // of the plan
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
		Name: defaultName,
		Source: plan.Cluster{
			NameServers: f.From, Cluster: f.Cluster, Advertised: f.Reached, LeftOut: f.LeftOut, ReadSlaves: f.ReadSlaves,
			Credentials: plan.CredentialsOf(f.Credentials),
		},
		Target: plan.Target{Provider: plan.ProviderLocal},
	}
	if f.Name != "" {
		p.Name = f.Name
	}
	if len(f.Target) > 0 || f.TargetProxy != "" {
		p.Target = plan.Target{
			Provider: plan.ProviderExisting, NameServers: f.Target, Proxy: f.TargetProxy, Cluster: f.TargetCluster,
			Advertised: f.TargetReached, Credentials: plan.CredentialsOf(f.TargetCredentials),
		}
	}
	if f.TargetProxy != "" { // which only gateways can move to; which ones is said later
		p.Traffic = plan.Traffic{Mode: plan.ModeGateway, Gateways: []string{gatewayHere}}
	}
	p = p.WithDefaults()
	if err := p.Validate(); err != nil {
		return p, failure.Usage("correct the flag that says so: "+flagNames, "%w", err)
	}
	return p, nil
}

// flagNames says which keys of the plan the flags are that say something of clusters.
const flagNames = "--from is source.nameServers, --source-address source.addresses, --leave-out source.leftOut, " +
	"--read-slave source.readSlaves, and --target, --target-address the target's"

// OfClusters reports whether any flag says which clusters are meant or how they are reached: a plan
// says it, too.
func (f Flags) OfClusters() bool {
	return len(f.From)+len(f.Target)+len(f.Reached)+len(f.TargetReached)+len(f.LeftOut)+len(f.ReadSlaves) > 0 ||
		f.TargetProxy+f.Cluster+f.TargetCluster != ""
}

// OfTarget reports whether any flag says something of a target, without saying which one it is.
func (f Flags) OfTarget() bool {
	return len(f.Target) == 0 && f.TargetProxy == "" && (len(f.TargetReached) > 0 || f.TargetCluster != "")
}

// opener opens the clusters of the plan.
func (f Flags) opener(lookupEnv func(string) (string, bool), root string) (connect.Opener, error) {
	o, err := connect.ForCommand(lookupEnv, f.Rate,
		connect.Typed{Prefix: f.Credentials, Hosts: plan.Hosts(f.From, f.Reached)},
		connect.Typed{
			Prefix: f.TargetCredentials, Hosts: plan.Hosts(append(slices.Clone(f.Target), f.TargetProxy), f.TargetReached),
		})
	if err != nil {
		return o, failure.Usage("", "%w", err)
	}
	o.Root = root
	return o, nil
}
