package users

import (
	"crypto/tls"
	"net"
	"slices"

	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/failure"
	"rocketshift/internal/metadata/rights/transfer"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// flags is what the command line says.
type flags struct {
	files, source, target        []string
	sourceKeys, targetKeys       string
	sourceCluster, targetCluster string
	sourceReached, targetReached map[string]string
	prefix                       string
	topics, groups               map[string]string
	conflicts, newSecrets        string
	sourceTLS, targetTLS         connect.TLS
	apply, write                 bool
}

// side is a cluster as the command line names it.
type side struct {
	flag, cluster string
	nameServers   []string
	keys          string
	reached       map[string]string
	tls           connect.TLS
	config        *tls.Config // nil without TLS
}

func (f flags) sides() (source, target side) {
	return side{
			"--source",
			f.sourceCluster,
			rocketmq.SplitAddresses(f.source),
			f.sourceKeys,
			f.sourceReached,
			f.sourceTLS,
			nil,
		},
		side{
			"--target",
			f.targetCluster,
			rocketmq.SplitAddresses(f.target),
			f.targetKeys,
			f.targetReached,
			f.targetTLS,
			nil,
		}
}

// check judges a side's flags.
func (s *side) check(found *failure.Problems, lookupEnv func(string) (string, bool)) *remoting.Credentials {
	for _, address := range s.nameServers {
		if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
			found.Add(s.flag, "%q; want host:port", address)
		}
	}
	var err error
	if s.config, err = s.tls.Config(); err != nil {
		found.Add(s.flag+"-tls-ca", "%v", err)
	}
	if s.keys == "" {
		return nil
	}
	k, whole := remoting.CredentialsOf(s.keys, func(name string) string { v, _ := lookupEnv(name); return v })
	if !whole { // a bad prefix may be the key itself, so only what has a prefix's form is shown
		found.Add(s.flag+"-credentials",
			"the environment doesn't have both keys: want a prefix P, and P_ACCESS_KEY and P_SECRET_KEY set")
	}
	return k
}

func (s side) open(keys *remoting.Credentials, renames rocketmq.Renames) *rocketmq.Cluster {
	return rocketmq.NewClusterOf(rocketmq.NewClient(rocketmq.Options{
		Credentials: keys, Addresses: s.reached, Renames: renames, TLS: s.config,
	}), s.nameServers, rocketmq.Part{Cluster: s.cluster})
}

// source is where users come from. end closes what it opened.
func (f flags) open(
	found *failure.Problems,
	lookupEnv func(string) (string, bool),
) (from transfer.Source, end func()) {
	source, _ := f.sides()
	keys := source.check(found, lookupEnv)
	if len(f.files) > 0 {
		if len(source.nameServers) > 0 {
			found.Add("--acl", "--source is given too; want one of them")
		}
		return transfer.Source{Files: f.files}, func() {}
	}
	if len(source.nameServers) == 0 {
		found.Add("--source", "missing; want the source's name servers, or its files by --acl")
	}
	cluster := source.open(keys, rocketmq.Renames{})
	return transfer.Source{Cluster: cluster}, cluster.Client().Close
}

// request is a transfer of which all flags are right. end closes both sides.
func (f flags) request(lookupEnv func(string) (string, bool)) (q transfer.Request, end func(), err error) {
	found := &failure.Problems{What: "users"}
	from, endSource := f.open(found, lookupEnv)
	_, target := f.sides()
	if len(target.nameServers) == 0 {
		found.Add("--target", "missing; want at least one host:port of the target's name servers")
	}
	keys := target.check(found, lookupEnv)
	if target.keys == "" {
		found.Add("--target-credentials",
			"missing; want the prefix of the environment variables with the keys of a super user of the target")
	}
	decisions := []plan.Decision{plan.DecisionRefuse, plan.DecisionKeep, plan.DecisionChange}
	if !slices.Contains(decisions, plan.Decision(f.conflicts)) {
		found.Add("--conflicts", "%q; allowed: refuse, keep, change", f.conflicts)
	}
	renames := rocketmq.Renames{Prefix: f.prefix, Topics: f.topics, Groups: f.groups}
	for flag, names := range map[string]map[string]string{"--rename-topic": f.topics, "--rename-group": f.groups} {
		for name, other := range names {
			if name == "" || !rocketmq.TakesTopic(other) {
				found.Add(flag, "%s=%s; want a name that brokers take", name, other)
			}
		}
	}
	if err := found.OrNil(); err != nil {
		endSource()
		return q, nil, err
	}
	q = transfer.Request{
		Source: from, Target: target.open(keys, renames), Own: keys.AccessKey, Renames: renames,
		Conflicts: plan.Decision(f.conflicts), NewSecrets: f.newSecrets,
	}
	return q, func() { endSource(); q.Target.Client().Close() }, nil
}
