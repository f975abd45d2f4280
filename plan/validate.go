package plan

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Limits of a plan.
const (
	// maxBrokers is how many brokers one machine can run for a trial; an idle one takes 12-17 % of
	// a core.
	maxBrokers = 8
	// maxShards is far more than the traffic of one broker needs.
	maxShards = 64
	// maxBatchMessages keeps a batch of usual messages far from the broker's 4 MiB.
	maxBatchMessages = 1000

	shortest = Duration(time.Millisecond)
	maxSoak  = Duration(7 * 24 * time.Hour)
	// maxDelay is far more than any release or instance takes.
	maxDelay     = Duration(366 * 24 * time.Hour)
	maxSettle    = Duration(10 * time.Minute)
	maxFence     = Duration(time.Hour)
	minHeartbeat = Duration(2 * time.Second)
	maxHeartbeat = Duration(10 * time.Minute)
	// minSync: a round asks every broker for every group.
	minSync = Duration(100 * time.Millisecond)
	maxSync = Duration(10 * time.Minute)
)

var (
	nameForm    = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)
	idForm      = regexp.MustCompile(`^[A-Za-z0-9._-]{1,32}$`)
	envForm     = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)
	versionForm = regexp.MustCompile(`^5\.\d{1,3}\.\d{1,3}$`)
	hostForm    = regexp.MustCompile(`^[A-Za-z0-9_.:%-]+$`)
	// brokerForm is a name of a broker or a cluster, as brokers take it in their files.
	brokerForm = regexp.MustCompile(`^[^\s,;|@]{1,255}$`)
	// globForm is printable ASCII without , [ ] { } and backslash: these have no meaning here, and
	// people who write them expect one.
	globForm = regexp.MustCompile(`^[!-+\--Z^-z|~]+$`)
)

// Validate checks every value of the plan, completed by its defaults. The error is a *Problems with
// all that is wrong.
func (p Plan) Validate() error { return p.WithDefaults().check().orNil() }

func (p Plan) check() *Problems {
	c := &Problems{}
	if !nameForm.MatchString(p.Name) {
		c.add("name", "%s; allowed: 1 to 40 small letters, digits and hyphens, no hyphen first or last", given(p.Name))
	}
	if len(p.Source.NameServers) == 0 {
		c.add("source.nameServers", "missing; want at least one host:port of the source's name servers")
	}
	checkNameServers(c, "source.nameServers", p.Source.NameServers)
	checkCredentials(c, "source.credentials", p.Source.Credentials)
	checkTarget(c, p.Target)
	checkIDs(c, p)
	checkClusters(c, p)
	checkOverlap(c, p.Source, p.Target)
	checkAdvertised(c, "source.addresses", p.Source.Advertised)
	checkAdvertised(c, "target.addresses", p.Target.Advertised)
	checkTopics(c, p.Topics)
	checkGlobs(c, "groups.include", p.Groups.Include)
	checkGlobs(c, "groups.exclude", p.Groups.Exclude)
	checkMetadata(c, p.Metadata)
	checkUsers(c, p)
	checkTraffic(c, p)
	checkShift(c, p.Shift)
	checkRange(c, "replicate.heartbeat", p.Replicate.Heartbeat, minHeartbeat, maxHeartbeat)
	checkRange(c, "replicate.shards", max(p.Replicate.Shards, 1), 1, maxShards)
	checkRange(c, "replicate.batchMessages", p.Replicate.BatchMessages, 1, maxBatchMessages)
	checkRange(c, "replicate.syncInterval", p.Replicate.SyncInterval, minSync, maxSync)
	checkApprovals(c, p.Approvals)
	checkAsked(c, p)
	return c
}

func checkTarget(c *Problems, t Target) {
	checkNameServers(c, "target.nameServers", t.NameServers)
	if t.Proxy != "" {
		checkAddress(c, "target.proxy", t.Proxy)
	}
	checkCredentials(c, "target.credentials", t.Credentials)
	checkRename(c, t.Rename)
	if t.MaxDelay != 0 {
		checkRange(c, "target.maxDelay", t.MaxDelay, Duration(time.Second), maxDelay)
	}
	switch t.Provider {
	case ProviderLocal:
		if len(t.NameServers) > 0 {
			c.add("target.nameServers",
				"the local provider starts a cluster of its own; leave it out, or use provider: existing")
		}
		if t.Proxy != "" {
			c.add("target.proxy",
				"the brokers of a local cluster can be reached; leave it out, or use provider: existing")
		}
		if len(t.Advertised) > 0 {
			c.add("target.addresses",
				"the brokers of a local cluster can be reached; leave it out, or use provider: existing")
		}
		if t.Credentials != nil {
			c.add("target.credentials", "a local cluster has none; leave it out, or use provider: existing")
		}
		if !versionForm.MatchString(t.Version) {
			c.add("target.version", "%s; allowed: a 5.x release such as %q", given(t.Version), DefaultVersion)
		}
		checkRange(c, "target.brokers", t.Brokers, 1, maxBrokers)
	case ProviderExisting:
		switch {
		case len(t.NameServers) == 0 && t.Proxy == "":
			c.add("target.nameServers",
				"missing; provider existing wants at least one host:port of the target's name servers, or target.proxy")
		case len(t.NameServers) > 0 && t.Proxy != "":
			c.add("target.proxy", "target.nameServers is given too; want one of them")
		}
		if t.Version != "" {
			c.add("target.version", "an existing cluster has its own; leave it out, or use provider: local")
		}
		if t.Brokers != 0 {
			c.add("target.brokers", "an existing cluster has its own; leave it out, or use provider: local")
		}
	case ProviderAliyun:
		checkAliyun(c, t)
	default:
		c.add("target.provider", "%s; allowed: %s, %s, %s", given(t.Provider), ProviderLocal, ProviderExisting,
			ProviderAliyun)
	}
	if t.Provider != ProviderAliyun && t.Aliyun != nil {
		c.add("target.aliyun", "only provider aliyun buys; leave it out, or set target.provider")
	}
}

func checkIDs(c *Problems, p Plan) {
	for path, id := range map[string]string{"source.id": p.Source.ID, "target.id": p.Target.ID} {
		if id != "" && !idForm.MatchString(id) {
			c.add(path, "%s; want 1 to 32 letters, digits and . _ -", quote(id))
		}
	}
	if (p.Source.ID != "" || p.Target.ID != "") && p.SourceID() == p.TargetID() {
		c.add("target.id", "%s is the source's id too; each cluster has its own", quote(p.TargetID()))
	}
}

// checkCredentials never shows the value: it may be the key itself, in the wrong place.
func checkCredentials(c *Problems, path string, cr *Credentials) {
	if cr != nil && !envForm.MatchString(cr.Env) {
		c.add(path+".env", "want a prefix of environment variables, capital letters, digits and _, such as SOURCE for "+
			"SOURCE_ACCESS_KEY and SOURCE_SECRET_KEY; never the key itself")
	}
}

func checkTopics(c *Problems, t TopicSelection) {
	if len(t.Include) == 0 {
		c.add("topics.include",
			"the list is empty, so nothing would move; want at least one glob, or leave it out for all topics")
	}
	checkGlobs(c, "topics.include", t.Include)
	checkGlobs(c, "topics.exclude", t.Exclude)
	checkGlobs(c, "topics.ordered", t.Ordered)
	for _, topic := range slices.Sorted(maps.Keys(t.Types)) {
		at := join("topics.types", topic)
		switch t.Types[topic] {
		case TypeNormal, TypeFIFO, TypeDelay, TypeTransaction, TypeMixed:
		default:
			c.add(at, "%s; allowed: NORMAL, FIFO, DELAY, TRANSACTION, MIXED", given(string(t.Types[topic])))
		}
		if strings.ContainsAny(topic, "*?") || !globForm.MatchString(topic) {
			c.add(at, "the key must be one topic's name, without wildcards")
		}
	}
}

func checkGlobs(c *Problems, path string, globs []string) {
	for i, g := range globs {
		if !globForm.MatchString(g) {
			c.add(
				fmt.Sprintf("%s[%d]", path, i),
				"%s; want a name in which * stands for any characters and ? for one; "+
					"no spaces, commas, brackets or backslashes",
				given(g),
			)
		}
	}
}

func checkShift(c *Problems, s Shift) {
	if len(s.Steps) == 0 {
		c.add("shift.steps", "the list is empty; want percentages that rise to 100, such as [25, 50, 100]")
	}
	before := 0
	for i, step := range s.Steps {
		at := fmt.Sprintf("shift.steps[%d]", i)
		switch {
		case step < 1 || step > 100:
			c.add(at, "%d; allowed: 1 to 100 percent", step)
		case step <= before:
			c.add(at, "%d after %d; each step must be higher than the one before", step, before)
		case i == len(s.Steps)-1 && step != 100:
			c.add(at, "%d; the last step must be 100", step)
		}
		before = step
	}
	checkRange(c, "shift.soak", s.Soak, shortest, maxSoak)
	checkRange(c, "shift.settle", s.Settle, shortest, maxSettle)
	if s.FenceBudget != 0 { // a move waits for the settle time while the group is fenced
		checkRange(c, "shift.fenceBudget", s.FenceBudget, s.Settle, maxFence)
	}
}

func checkRange[T int | Duration](c *Problems, path string, v, low, high T) {
	if v < low || v > high {
		c.add(path, "%v; allowed: %v to %v", v, low, high)
	}
}

func checkApprovals(c *Problems, gates []Gate) {
	for i, g := range gates {
		at := fmt.Sprintf("approvals[%d]", i)
		switch {
		case !slices.Contains(Gates(), g):
			c.add(at, "%s; allowed: %s, %s, %s", given(string(g)), GatePurchase, GateShift, GateFinalize)
		case slices.Contains(gates[:i], g):
			c.add(at, "%s is there twice; keep one", quote(string(g)))
		}
	}
}

// checkAsked refuses a purchase that nobody approves.
func checkAsked(c *Problems, p Plan) {
	if p.Target.Provider == ProviderAliyun && !slices.Contains(p.Approvals, GatePurchase) {
		c.add("approvals", "provider aliyun costs money, and %s isn't among them; want it there", GatePurchase)
	}
}

func given(s string) string {
	if s == "" {
		return "missing or empty"
	}
	return quote(s)
}
