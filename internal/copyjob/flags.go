package copyjob

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"rocketshift/internal/failure"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// Flags is what the command line says.
type Flags struct {
	Source, Target, Topics               []string
	Create, Follow, BothWays             bool
	SourceCredentials, TargetCredentials string
	SourceID, TargetID, Name             string
	TargetProxy                          string
	SourceCluster, TargetCluster         string
	LeftOut, ReadSlaves                  []string
	SourceReached, TargetReached         map[string]string
	Differences, Prefix                  string
	Rename                               map[string]string
}

// Request is a copy whose flags are checked.
type Request struct {
	From, To                 endpoint
	topics                   []string
	names                    replica.Names
	create, follow, bothWays bool
	differences              string // file; empty for none
}

// endpoint is a cluster as the command line names it.
type endpoint struct {
	side        lane.Side // also the name of its flag
	nameServers []string  // or the address of its proxy
	proxied     bool
	credentials *remoting.Credentials
	renames     rocketmq.Renames
	part        rocketmq.Part
	reached     rocketmq.Addresses
}

func (e endpoint) Open() *rocketmq.Cluster {
	client := rocketmq.NewClient(rocketmq.Options{Credentials: e.credentials, Renames: e.renames, Addresses: e.reached})
	if e.proxied {
		return rocketmq.NewClusterBehind(client, e.nameServers[0])
	}
	return rocketmq.NewClusterOf(client, e.nameServers, e.part)
}

func (e endpoint) String() string {
	return fmt.Sprintf("%s %s", e.side, strings.Join(e.nameServers, ", "))
}

// groupPrefix begins the names of copies' consumer groups, and differs from that of migrations.
const groupPrefix = "rocketshift-copy-"

// Request checks the flags by the rules of plans, and tells all that is wrong at once.
func (f Flags) Request(lookupEnv func(string) (string, bool)) (Request, error) {
	p := plan.Plan{
		Source: plan.Cluster{
			NameServers: rocketmq.SplitAddresses(
				f.Source,
			), Cluster: f.SourceCluster, LeftOut: f.LeftOut, ReadSlaves: f.ReadSlaves,
			Advertised: f.SourceReached, ID: f.SourceID, Credentials: plan.CredentialsOf(f.SourceCredentials),
		},
		Target: plan.Target{
			Provider: plan.ProviderExisting, NameServers: f.targetAddresses(), Cluster: f.TargetCluster,
			Advertised: f.TargetReached, ID: f.TargetID, Credentials: plan.CredentialsOf(f.TargetCredentials),
		},
	}
	if f.Prefix != "" || len(f.Rename) > 0 {
		p.Target.Rename = &plan.Rename{Prefix: f.Prefix, Topics: f.Rename}
	}
	p.Name = cmp.Or(f.Name, NameOf(p.SourceID(), p.TargetID()))
	found := &failure.Problems{What: "copy"}
	addOfPlan(found, p.Validate())
	f.checkProxy(found)
	if len(f.Topics) == 0 {
		found.Add("--topic", "missing; want at least one topic of the source")
	}
	for _, clash := range p.Target.Clashes(f.Topics, nil) {
		found.Add("--rename", "%s", clash.Text)
	}
	q := Request{
		From: endpoint{
			side:        lane.SideSource,
			nameServers: p.Source.NameServers,
			credentials: keys(found, "--source-credentials", f.SourceCredentials, lookupEnv),
			part: rocketmq.Part{
				Cluster:    f.SourceCluster,
				LeftOut:    f.LeftOut,
				ReadSlaves: f.ReadSlaves,
			},
			reached: f.SourceReached,
		},
		To: endpoint{
			side:        lane.SideTarget,
			nameServers: p.Target.NameServers,
			proxied:     f.TargetProxy != "",
			credentials: keys(found, "--target-credentials", f.TargetCredentials, lookupEnv),
			renames:     f.renames(),
			part:        rocketmq.Part{Cluster: f.TargetCluster},
			reached:     f.TargetReached,
		},
		topics: slices.Compact(slices.Sorted(slices.Values(f.Topics))),
		names:  replica.Names{Group: groupPrefix + p.Name, Source: p.SourceID(), Target: p.TargetID()},
		create: f.Create, follow: f.Follow, bothWays: f.BothWays, differences: f.Differences,
	}
	return q, found.OrNil()
}

// targetAddresses are the target's name servers, or its proxy.
func (f Flags) targetAddresses() []string {
	if f.TargetProxy != "" {
		return []string{f.TargetProxy}
	}
	return rocketmq.SplitAddresses(f.Target)
}

// checkProxy refuses what can't be done through the proxy of a target.
func (f Flags) checkProxy(found *failure.Problems) {
	if f.TargetProxy == "" {
		return
	}
	for i := range found.List {
		if found.List[i].Path == "--target" {
			found.List[i].Path = "--target-proxy"
		}
	}
	if len(f.Target) > 0 {
		found.Add("--target-proxy", "--target is given too; want one of them")
	}
	if f.Create {
		found.Add("--create-topics",
			"a proxy creates no topics; make them on the target by its console or API, with as many queues "+
				"as on the source")
	}
}

// renames are the names of topics on the target. The copy's own groups have the same names on both
// sides.
func (f Flags) renames() rocketmq.Renames {
	return rocketmq.Renames{Prefix: f.Prefix, Topics: f.Rename, Keep: groupPrefix}
}

// plainID is an id that fits into a copy's name twice, with a hyphen between.
var plainID = regexp.MustCompile(`^[a-z0-9]{1,19}$`)

// NameOf is the name of a copy without a given one. Other clusters never get the same name: ids
// that aren't plain are hashed.
func NameOf(sourceID, targetID string) string {
	short := func(id string) string {
		if plainID.MatchString(id) {
			return id
		}
		return plan.ClusterID([]string{id})
	}
	return short(sourceID) + "-" + short(targetID)
}

// addOfPlan adds the problems of a plan, under the names of the flags.
func addOfPlan(p *failure.Problems, err error) {
	var wrong *plan.Problems
	if !errors.As(err, &wrong) {
		return
	}
	for _, one := range wrong.List {
		flag := flagOf(one.Path)
		if strings.HasSuffix(one.Path, ".nameServers") {
			one.Text = "missing; want at least one host:port of the " + strings.TrimPrefix(flag,
				"--") + "'s name servers"
		}
		p.Add(flag, "%s", one.Text)
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
func keys(p *failure.Problems, flag, env string, lookupEnv func(string) (string, bool)) *remoting.Credentials {
	if env == "" {
		return nil
	}
	k, whole := remoting.CredentialsOf(env, func(name string) string { v, _ := lookupEnv(name); return v })
	if !whole { // a bad prefix may be the key itself, so it isn't shown
		p.Once(flag, "the environment has no %s_ACCESS_KEY and %s_SECRET_KEY; set both", env, env)
	}
	return k
}
