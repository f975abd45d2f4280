package main

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator"
)

// copyFlags is what the command line says.
type copyFlags struct {
	source, target, topics               []string
	create, follow, bothWays             bool
	sourceCredentials, targetCredentials string
	sourceID, targetID, name             string
	targetProxy                          string
	sourceCluster, targetCluster         string
	leftOut, readSlaves                  []string
	sourceReached, targetReached         map[string]string
	differences, prefix                  string
	rename                               map[string]string
}

// copyRequest is what a copy is to do, checked.
type copyRequest struct {
	from, to                 endpoint
	topics                   []string
	names                    replicator.Names
	create, follow, bothWays bool
	differences              string // file; empty for none
}

// endpoint is a cluster as the command line names it.
type endpoint struct {
	side        string   // source or target, also the name of its flag
	nameServers []string // of one behind a proxy the proxy's address
	proxied     bool
	credentials *rocketmq.Credentials
	renames     rocketmq.Renames
	part        rocketmq.Part
	reached     rocketmq.Addresses
}

func (e endpoint) open() *rocketmq.Cluster {
	client := rocketmq.NewClient(rocketmq.Options{Credentials: e.credentials, Renames: e.renames, Addresses: e.reached})
	if e.proxied {
		return rocketmq.NewClusterBehind(client, e.nameServers[0])
	}
	return rocketmq.NewClusterOf(client, e.nameServers, e.part)
}

func (e endpoint) String() string {
	return fmt.Sprintf("%s %s", e.side, strings.Join(e.nameServers, ", "))
}

// copyGroup is what the names of copies' consumer groups begin with, so that they aren't those of migrations.
const copyGroup = "rocketshift-copy-"

// request checks the flags by the rules of plans, and tells all that is wrong at once.
func (f copyFlags) request(lookupEnv func(string) (string, bool)) (copyRequest, error) {
	p := plan.Plan{
		Source: plan.Cluster{
			NameServers: addresses(f.source), Cluster: f.sourceCluster, LeftOut: f.leftOut, ReadSlaves: f.readSlaves,
			Advertised: f.sourceReached, ID: f.sourceID, Credentials: prefix(f.sourceCredentials),
		},
		Target: plan.Target{
			Provider: plan.ProviderExisting, NameServers: f.targetAddresses(), Cluster: f.targetCluster, Advertised: f.targetReached, ID: f.targetID, Credentials: prefix(f.targetCredentials),
		},
	}
	if f.prefix != "" || len(f.rename) > 0 {
		p.Target.Rename = &plan.Rename{Prefix: f.prefix, Topics: f.rename}
	}
	p.Name = cmp.Or(f.name, copyName(p.SourceID(), p.TargetID()))
	found := &problems{what: "copy"}
	addOfPlan(found, p.Validate())
	f.checkProxy(found)
	if len(f.topics) == 0 {
		found.add("--topic", "missing; want at least one topic of the source")
	}
	for _, clash := range p.Target.Clashes(f.topics, nil) {
		found.add("--rename", "%s", clash.Text)
	}
	q := copyRequest{
		from: endpoint{
			side:        "source",
			nameServers: p.Source.NameServers,
			credentials: keys(found, "--source-credentials", f.sourceCredentials, lookupEnv),
			part: rocketmq.Part{
				Cluster:    f.sourceCluster,
				LeftOut:    f.leftOut,
				ReadSlaves: f.readSlaves,
			},
			reached: f.sourceReached,
		},
		to: endpoint{
			side:        "target",
			nameServers: p.Target.NameServers,
			proxied:     f.targetProxy != "",
			credentials: keys(found, "--target-credentials", f.targetCredentials, lookupEnv),
			renames:     f.renames(),
			part:        rocketmq.Part{Cluster: f.targetCluster},
			reached:     f.targetReached,
		},
		topics: slices.Compact(slices.Sorted(slices.Values(f.topics))),
		names:  replicator.Names{Group: copyGroup + p.Name, Source: p.SourceID(), Target: p.TargetID()},
		create: f.create, follow: f.follow, bothWays: f.bothWays, differences: f.differences,
	}
	return q, found.orNil()
}

// targetAddresses are where the target is found: its name servers, or its proxy.
func (f copyFlags) targetAddresses() []string {
	if f.targetProxy != "" {
		return []string{f.targetProxy}
	}
	return addresses(f.target)
}

// checkProxy finds what a target behind a proxy makes impossible.
func (f copyFlags) checkProxy(found *problems) {
	if f.targetProxy == "" {
		return
	}
	for i := range found.list {
		if found.list[i].Path == "--target" {
			found.list[i].Path = "--target-proxy"
		}
	}
	if len(f.target) > 0 {
		found.add("--target-proxy", "--target is given too; want one of them")
	}
	if f.create {
		found.add("--create-topics", "a proxy creates no topics; make them on the target by its console or API, with as many queues as on the source")
	}
}

// renames are what the target calls the topics; the copy's own groups have the same names on both sides.
func (f copyFlags) renames() rocketmq.Renames {
	return rocketmq.Renames{Prefix: f.prefix, Topics: f.rename, Keep: copyGroup}
}

// addresses splits at semicolons too, as RocketMQ's own tools do.
func addresses(given []string) []string {
	return strings.FieldsFunc(strings.Join(given, ","), func(r rune) bool { return r == ',' || r == ';' || r == ' ' })
}

func prefix(env string) *plan.Credentials {
	if env == "" {
		return nil
	}
	return &plan.Credentials{Env: env}
}

// plainID is an id that a copy's name can hold twice, with a hyphen between.
var plainID = regexp.MustCompile(`^[a-z0-9]{1,19}$`)

// copyName is the name of a copy that was given none. Other clusters never give the same name: what isn't plain is hashed.
func copyName(sourceID, targetID string) string {
	short := func(id string) string {
		if plainID.MatchString(id) {
			return id
		}
		return plan.ClusterID([]string{id})
	}
	return short(sourceID) + "-" + short(targetID)
}

// addOfPlan takes what is wrong with a plan, by the names of the flags.
func addOfPlan(p *problems, err error) {
	var wrong *plan.Problems
	if !errors.As(err, &wrong) {
		return
	}
	for _, one := range wrong.List {
		flag := flagOf(one.Path)
		if strings.HasSuffix(one.Path, ".nameServers") {
			one.Text = "missing; want at least one host:port of the " + strings.TrimPrefix(flag, "--") + "'s name servers"
		}
		p.add(flag, "%s", one.Text)
	}
}

// flagOf is the flag that sets this value of a plan.
func flagOf(path string) string {
	side, rest, _ := strings.Cut(path, ".")
	switch {
	case strings.HasPrefix(rest, "credentials"):
		return "--" + side + "-credentials"
	case rest == "rename.prefix":
		return "--prefix"
	case strings.HasPrefix(rest, "rename"):
		return "--rename"
	case strings.HasPrefix(rest, "leftOut"):
		return "--leave-out"
	case strings.HasPrefix(rest, "readSlaves"):
		return "--read-slave"
	case strings.HasPrefix(rest, "addresses"):
		return "--" + side + "-address"
	case rest == "cluster":
		return "--" + side + "-cluster"
	case rest == "id":
		return "--" + side + "-id"
	}
	return "--" + side
}

// keys reads the keys of a side from the environment.
func keys(p *problems, flag, env string, lookupEnv func(string) (string, bool)) *rocketmq.Credentials {
	if env == "" {
		return nil
	}
	value := func(name string) string { v, _ := lookupEnv(env + name); return v }
	k := &rocketmq.Credentials{AccessKey: value("_ACCESS_KEY"), SecretKey: value("_SECRET_KEY"), SecurityToken: value("_SECURITY_TOKEN")}
	if k.AccessKey == "" || k.SecretKey == "" { // a prefix that is none may be the key itself: it is known by now, and isn't shown
		p.once(flag, "the environment has no %s_ACCESS_KEY and %s_SECRET_KEY; set both", env, env)
	}
	return k
}
