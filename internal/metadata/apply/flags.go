package apply

import (
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/failure"
	"rocketshift/internal/files"
	"rocketshift/internal/metadata"
	"rocketshift/plan"
)

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
		Source: plan.Cluster{NameServers: f.From, Cluster: f.Cluster, Credentials: plan.CredentialsOf(f.Credentials)},
		Target: plan.Target{
			Provider: plan.ProviderExisting, NameServers: f.To, Cluster: f.TargetCluster,
			Credentials: plan.CredentialsOf(f.TargetCredentials),
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

// opener opens both clusters.
func (f Flags) opener(lookupEnv func(string) (string, bool)) (connect.Opener, error) {
	o, err := connect.ForCommand(lookupEnv, f.Rate, connect.Typed{Prefix: f.Credentials, Hosts: f.From},
		connect.Typed{Prefix: f.TargetCredentials, Hosts: f.To})
	if err != nil {
		return o, failure.Usage("", "%w", err)
	}
	return o, nil
}

// model reads the file.
func (f Flags) model() (*metadata.Cluster, error) {
	if f.File == "" {
		return nil, nil
	}
	text, err := files.ReadText(f.File, metadata.MaxBytes)
	if err != nil {
		return nil, failure.Usage("", "--file %s: %w", f.File, err)
	}
	c, err := metadata.Parse(f.File, text)
	if err != nil {
		return nil, failure.Usage("", "%w", err)
	}
	return &c, nil
}
