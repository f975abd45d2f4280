package assess

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters/inventory/names"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// Fitted is the plan with what the assessment recommends: names that 5.x takes, and the traffic
// mode.
func Fitted(p plan.Plan, a api.Assessment) plan.Plan {
	managed := p.Target.Proxied()
	topics := renames(a.TopicNames(nil), p.Target.Topic, rocketmq.TakesTopic, managed)
	groups := renames(a.GroupNames(), p.Target.Group, rocketmq.TakesGroup, managed)
	if len(topics)+len(groups) > 0 && !managed { // behind a proxy names can't change: it is refused, and said
		p.Target.Rename = &plan.Rename{Topics: topics, Groups: groups}
		p.Traffic = plan.Traffic{Mode: plan.ModeRelease}
		return p
	}
	if a.Recommended != nil && a.Recommended.Traffic.Mode == plan.ModeGateway {
		p.Traffic = plan.Traffic{Mode: plan.ModeGateway, Gateways: []string{gatewayHere}}
	}
	return p
}

// gatewayHere is where a gateway's control API is that was started on this machine without more
// (--control).
const gatewayHere = "127.0.0.1:8089"

func renames(
	all []string, own func(string) string, takes func(string) bool, managed bool,
) map[string]string {
	out := map[string]string{}
	for _, name := range all {
		if !takes(own(name)) || managed && names.Managed(own(name)) != "" {
			out[name] = names.Propose(own(name))
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// mostNoted is how many lines of one kind a plan's comments have: the report has all.
const mostNoted = 30

// PlanFile is the plan as a file with comments: what was found, what to decide, and what may be
// changed. It is YAML that the plan's own reader takes.
func PlanFile(p plan.Plan, r Report) string {
	f := &planFile{}
	f.note("A plan for rocketshift, made of what %s showed on %s.", strings.Join(r.Source, ", "),
		r.MeasuredAt.UTC().Format("2006-01-02 15:04 UTC"))
	f.note("%s.", r.Clusters())
	f.note("%s", r.Verdict())
	f.findings(r, api.SeverityRefusal, "To be mended, or left out of the plan:")
	f.findings(r, api.SeverityWarning, "To be judged by you:")
	f.line("#")
	f.note("Change it, and ask rocketshift assess --plan THIS_FILE until nothing is refused. Then, with a worker:")
	f.note("rocketshift start -f THIS_FILE. Every key: docs/reference/plan.md; every finding: docs/reference/findings.md.")
	f.line("")
	f.line("name: %s  # of the migration; its workflow is %s", p.Name, p.WorkflowID())
	f.line("")
	f.line("source:")
	f.list("  nameServers", p.Source.NameServers)
	f.text("  cluster", p.Source.Cluster)
	f.reached(p.Source.Advertised)
	f.brokers("  leftOut", p.Source.LeftOut, "what they hold stays there")
	f.brokers("  readSlaves", p.Source.ReadSlaves, "read from their slaves while they have no master")
	f.credentials(p.Source.Credentials)
	f.line("")
	f.target(p, r)
	f.line("")
	f.selection(r)
	f.furtherKeys()
	f.line("")
	f.traffic(p, r)
	f.line("")
	f.shift(r)
	f.line("")
	f.line("approvals: [purchase, shift, finalize]  # which steps wait for a person; [] for none")
	return f.out.String()
}

type planFile struct{ out strings.Builder }

func (f *planFile) line(format string, args ...any) { fmt.Fprintf(&f.out, format+"\n", args...) }

// note is a comment, of one line whatever servers named.
func (f *planFile) note(format string, args ...any) {
	f.line("# %s", printable.Text(fmt.Sprintf(format, args...)))
}

// text is a key with a text, where there is one.
func (f *planFile) text(key, value string) {
	if value != "" {
		f.line("%s: %q", key, value)
	}
}

func (f *planFile) list(key string, values []string) {
	var all []string
	for _, v := range values {
		all = append(all, fmt.Sprintf("%q", v))
	}
	f.line("%s: [%s]", key, strings.Join(all, ", "))
}

// reached are the addresses at which servers are reached, where they advertise others.
func (f *planFile) reached(at map[string]string) {
	if len(at) == 0 {
		return
	}
	f.line("  addresses:  # where the worker reaches what servers advertise; gateways have flags of their own")
	for _, advertised := range slices.Sorted(maps.Keys(at)) {
		f.line("    %q: %q", advertised, at[advertised])
	}
}

// brokers is a list of brokers' names, where there is one.
func (f *planFile) brokers(key string, names []string, why string) {
	if len(names) > 0 {
		f.list(key, names)
		f.line("  # ^ %s", why)
	}
}

func (f *planFile) credentials(c *plan.Credentials) {
	if c != nil {
		f.line("  credentials: {env: %s}  # %s_ACCESS_KEY and %s_SECRET_KEY where the worker runs", c.Env, c.Env, c.Env)
	}
}

func (f *planFile) findings(r Report, severity api.Severity, title string) {
	told := 0
	for _, one := range r.Findings {
		if one.Severity != severity {
			continue
		}
		switch told++; {
		case told == 1:
			f.line("#")
			f.note("%s", title)
			fallthrough
		case told <= mostNoted:
			f.note("  %s, %s: %s; %s", one.ID, one.Object, one.Cause, one.Next)
		}
	}
	if told > mostNoted {
		f.note("  and %d more: rocketshift assess shows them", told-mostNoted)
	}
}

func (f *planFile) target(p plan.Plan, r Report) {
	t := p.Target
	f.line("target:")
	if t.Provider == plan.ProviderLocal {
		f.line("  # A cluster of its own on the worker's machine, to try it:")
		f.line("  provider: local")
		f.line("  version: %q", t.Version)
		f.line("  brokers: %d  # the source has %d", t.Brokers, len(r.Brokers))
		f.line("  # Or, in place of these three lines, a cluster that exists:")
		f.line("  # provider: existing")
		f.line("  # nameServers: [\"HOST:9876\"]  # where its brokers can't be reached, proxy: \"HOST:8080\" instead")
		f.line("  # credentials: {env: NEW}  # NEW_ACCESS_KEY and NEW_SECRET_KEY where the worker runs")
	} else {
		f.line("  provider: existing")
		if t.Proxy != "" {
			f.text("  proxy", t.Proxy)
		} else {
			f.list("  nameServers", t.NameServers)
		}
		f.text("  cluster", t.Cluster)
		f.reached(t.Advertised)
		f.credentials(t.Credentials)
	}
	if t.Rename == nil {
		return
	}
	f.line("  rename:  # names that 5.x doesn't take; change them as you like")
	for _, part := range []struct {
		key string
		of  map[string]string
	}{{"topics", t.Rename.Topics}, {"groups", t.Rename.Groups}} {
		if len(part.of) == 0 {
			continue
		}
		f.line("    %s:", part.key)
		for _, name := range slices.Sorted(maps.Keys(part.of)) {
			f.line("      %q: %q", name, part.of[name])
		}
	}
}

func (f *planFile) selection(r Report) {
	f.line("topics:")
	f.line("  include: [\"*\"]  # globs; \"*\" is all of them")
	f.line("  exclude: []  # what it matches stays on the source")
	f.line("  # ordered: [\"NAME\"]  # whose order must be kept, where nothing that was seen says so")
	f.line("  # types: {NAME: FIFO}  # where an inferred one is wrong: NORMAL, FIFO, DELAY, TRANSACTION or MIXED")
	if r.Recommended != nil && len(r.Recommended.Topics) > 0 {
		f.line("  # The types that are inferred:")
		for i, t := range r.Recommended.Topics {
			if i == mostNoted {
				f.line("  #   and %d more: rocketshift assess -o json", len(r.Recommended.Topics)-mostNoted)
				break
			}
			f.line("  #   %s", printable.Text(fmt.Sprintf("%s: %s, %s", t.Name, t.Type, t.Why)))
		}
	}
	f.line("groups:")
	f.line("  include: [\"*\"]")
	f.line("  exclude: []  # a group moves with all topics that it reads, or stays with all of them")
}

// furtherKeys are for what not every migration needs.
func (f *planFile) furtherKeys() {
	f.line("# metadata: {conflicts: refuse}  # what the target has with other settings: refuse, keep or change")
	f.line("# users: {}  # takes users and rights along, from ACL 1.0 to ACL 2.0: docs/take-users-along.md")
}

func (f *planFile) traffic(p plan.Plan, r Report) {
	if r.Recommended != nil {
		f.note("Recommended: %s, as %s.", r.Recommended.Traffic.Mode, r.Recommended.Traffic.Why)
	}
	f.line("traffic:")
	f.line("  # gateway: applications connect to gateways that you run: docs/run-a-gateway.md")
	f.line("  # release: your releases give them the target, and there are no gateways: docs/move-applications.md")
	f.line("  mode: %s", p.Traffic.Mode)
	if p.Traffic.Mode == plan.ModeGateway {
		f.line("  # The control API of each gateway that you run:")
		f.list("  gateways", p.Traffic.Gateways)
	}
}

func (f *planFile) shift(r Report) {
	f.line("shift:")
	f.line("  steps: [25, 50, 100]  # percent that has moved after each step")
	f.line("  soak: 10s  # how long a step must stand before the next; minutes or hours on production")
	if r.Recommended == nil || len(r.Recommended.Waves) == 0 {
		return
	}
	f.line("  # What belongs together, and what harms least first. Each part can have a plan of its own, by")
	f.line("  # topics.include and groups.include:")
	for i, w := range r.Recommended.Waves {
		f.line("  # %s", printable.Text(fmt.Sprintf("%d. topics %s; groups %s: %s", i+1, printable.Listed(w.Topics),
			cmp.Or(printable.Listed(w.Groups), "none"), w.Why)))
	}
}
