package apply

import (
	"os"
	"strings"

	"golang.org/x/time/rate"

	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/failure"
	"rocketshift/internal/metadata"
	"rocketshift/internal/secrets"
	"rocketshift/plan"
)

// DefaultRate is how many calls per second go to both sides together unless told otherwise.
const DefaultRate = 200

// Flags are what the command line says.
type Flags struct {
	From, To                       []string // name servers
	File                           string   // a model, instead of From
	Cluster, TargetCluster         string
	Credentials, TargetCredentials string   // prefixes of environment variables
	Topics, Groups                 []string // globs
	Prefix                         string   // of all names on the target
	Conflicts                      string   // plan.Decision
	KV                             []string // namespaces
	Rate                           float64  // calls per second, 0 for no bound
}

// nowhere stands for the source's name servers where a file is the source: nobody dials it.
const nowhere = "127.0.0.1:9"

// plan is what the flags mean, by the rules of plans.
func (f Flags) plan() (plan.Plan, error) {
	p := plan.Plan{
		Name:   "metadata-apply",
		Source: plan.Cluster{NameServers: f.From, Cluster: f.Cluster, Credentials: prefixed(f.Credentials)},
		Target: plan.Target{
			Provider: plan.ProviderExisting, NameServers: f.To, Cluster: f.TargetCluster,
			Credentials: prefixed(f.TargetCredentials),
		},
		Topics:   plan.TopicSelection{Selection: plan.Selection{Include: f.Topics}},
		Groups:   plan.Selection{Include: f.Groups},
		Metadata: plan.Metadata{Conflicts: plan.Decision(f.Conflicts), KV: f.KV},
	}
	if f.File != "" {
		p.Source = plan.Cluster{NameServers: []string{nowhere}}
	}
	if f.Prefix != "" {
		p.Target.Rename = &plan.Rename{Prefix: f.Prefix}
	}
	p = p.WithDefaults()
	switch {
	case (f.File == "") == (len(f.From) == 0):
		return p, failure.Usage("", "give either --from NAMESERVERS or --file MODEL: what has to be applied")
	case len(f.To) == 0:
		return p, failure.Usage("", "--to is missing: the name servers of the cluster that gets it")
	case f.Rate < 0:
		return p, failure.Usage("", "--rate %g: want calls per second, or 0 for no bound", f.Rate)
	}
	if err := p.Validate(); err != nil {
		return p, failure.Usage("", "%w", err)
	}
	return p, nil
}

func prefixed(env string) *plan.Credentials {
	if env == "" {
		return nil
	}
	return &plan.Credentials{Env: env}
}

// opener opens both clusters. Who types a prefix beside addresses allows it for these.
func (f Flags) opener(lookupEnv func(string) (string, bool)) (connect.Opener, error) {
	getenv := func(name string) string { v, _ := lookupEnv(name); return v }
	allowed := getenv(secrets.Variable)
	for prefix, hosts := range map[string][]string{f.Credentials: f.From, f.TargetCredentials: f.To} {
		if prefix != "" && len(hosts) > 0 {
			allowed += " " + prefix + "=" + strings.Join(hosts, ",")
		}
	}
	store, err := secrets.New(allowed, getenv)
	if err != nil {
		return connect.Opener{}, failure.Usage("", "%w", err)
	}
	o := connect.Opener{Pool: connect.NewPool(), Secrets: store}
	if f.Rate > 0 {
		o.Limit = rate.NewLimiter(rate.Limit(f.Rate), clusters.Together)
	}
	return o, nil
}

// model reads the file.
func (f Flags) model() (*metadata.Cluster, error) {
	if f.File == "" {
		return nil, nil
	}
	info, err := os.Stat(f.File)
	if err == nil && info.Size() > metadata.MaxBytes {
		return nil, failure.Usage("", "--file %s has %d bytes; a model has at most %d", f.File, info.Size(),
			metadata.MaxBytes)
	}
	text, err := os.ReadFile(f.File)
	if err != nil {
		return nil, failure.Usage("", "--file: %w", err)
	}
	c, err := metadata.Parse(f.File, text)
	if err != nil {
		return nil, failure.Usage("", "%w", err)
	}
	return &c, nil
}
