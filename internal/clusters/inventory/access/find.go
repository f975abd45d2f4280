package access

import (
	"context"
	"slices"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
	"rocketshift/internal/metadata/rights/acl1"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// Find is the area. It asks brokers of the source with ACL 1.0 for their accounts; secrets that
// they tell go nowhere.
func Find(ctx context.Context, sides facts.Sides, seen facts.Facts) (all []api.Finding, err error) {
	for _, b := range guarded(seen.Configured) {
		at := slices.IndexFunc(seen.Brokers, func(of rocketmq.Broker) bool { return of.Name == b })
		if at < 0 {
			continue
		}
		found, err := accountsOf(ctx, sides.Source, seen.Brokers[at], seen)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return slices.Concat(all, openTarget(seen), instanceNames(seen), allocations(seen)), nil
}

// guarded are the brokers that check access keys.
func guarded(configured []brokerconfig.Broker) (names []string) {
	for _, b := range configured {
		for _, setting := range []string{"aclEnable", "authenticationEnabled", "authorizationEnabled"} {
			if strings.EqualFold(b.Values[setting], "true") && !slices.Contains(names, b.Name) {
				names = append(names, b.Name)
			}
		}
	}
	return names
}

// accountsOf tells of what ACL 1.0 of a broker allows by address alone. ACL 2.0 has no counterpart:
// its addresses restrict users, who sign in any case.
func accountsOf(ctx context.Context, c *clusters.One, b rocketmq.Broker, seen facts.Facts) ([]api.Finding, error) {
	object := "source broker " + b.Name
	untold := func(why string) []api.Finding {
		return []api.Finding{findings.AccountsUntold.Warning(object, "", "has ACL 1.0, and doesn't tell its accounts").
			With(seen.At, "%s", why)}
	}
	if !b.TellsAccounts() {
		return untold("version " + b.Version + " doesn't answer when it is asked for them"), nil
	}
	got, err := c.Client().Call(ctx, b.Addr, &remoting.Command{Code: remoting.CodeACLConfig})
	if err != nil {
		return nil, c.Explain(ctx, err)
	}
	if got.Code != remoting.Success {
		return untold(remoting.CodeName(got.Code) + " " + remoting.FirstLine(got.Remark)), nil
	}
	config, err := acl1.ReadAnswer("broker "+b.Name, got.Body)
	if err != nil {
		return untold(err.Error()), nil
	}
	var all []api.Finding
	if len(config.GlobalAddresses) > 0 {
		all = append(all, findings.WhiteList.Warning(object, "",
			"lets everybody in from some addresses without a key (globalWhiteRemoteAddresses)").
			With(seen.At, "%s", printable.Listed(config.GlobalAddresses)))
	}
	var users []string
	for _, u := range config.Users {
		if u.Addresses != "" {
			users = append(users, u.Name+" ("+u.Addresses+")")
		}
	}
	if len(users) > 0 {
		all = append(all, findings.WhiteList.Warning(object, "",
			"lets %d users do everything from their addresses, without a check of their signature "+
				"(whiteRemoteAddress)", len(users)).With(seen.At, "%s", printable.Listed(users)))
	}
	return all, nil
}

// openTarget tells of a target that lets everybody in while the source doesn't. The reverse is a
// difference of the setting aclEnable.
func openTarget(seen facts.Facts) []api.Finding {
	source, told := guarded(seen.Configured), 0
	for _, b := range seen.Target.Configured {
		if b.Unknown == "" {
			told++
		}
	}
	if len(source) == 0 || told == 0 || len(guarded(seen.Target.Configured)) > 0 {
		return nil
	}
	return []api.Finding{findings.TargetOpen.Warning("target brokers", "",
		"check no access keys, while the source does (broker %s)", printable.Listed(source))}
}

// instanceMark begins the names of instances of ApsaraMQ 4.x, and instanceEnd ends them in names of
// topics and groups (NamespaceUtil): MQ_INST_1234_abcd%orders.
const instanceMark, instanceEnd = "MQ_INST_", "%"

// instanceNames tells of names that belong to an instance of ApsaraMQ 4.x.
func instanceNames(seen facts.Facts) []api.Finding {
	var names []string
	for _, name := range slices.Concat(seen.TopicNames, seen.GroupNames) {
		if instance, rest, has := strings.Cut(name, instanceEnd); has && rest != "" &&
			strings.HasPrefix(instance, instanceMark) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []api.Finding{findings.InstanceNames.Warning("names", "",
		"%d topics and groups have names with an instance of ApsaraMQ 4.x before them", len(names)).
		With(seen.At, "%s", printable.Listed(names))}
}

// usual are the ways to deal queues to members that don't look at brokers' names (package
// org.apache.rocketmq.client.consumer.rebalance).
var usual = []string{"AllocateMessageQueueAveragely", "AllocateMessageQueueAveragelyByCircle"}

// byHash deals queues by a hash of their names, which have their brokers' names in them. Each queue
// still has one member, so only the shares change.
const byHash = "AllocateMessageQueueConsistentHash"

// allocations tells of members that deal queues by names of brokers, by configuration, or by a class
// of their own.
func allocations(seen facts.Facts) (all []api.Finding) {
	for _, group := range seen.GroupNames {
		of := map[string]int{}
		for _, m := range seen.Members[group] {
			class := m.Strategy[strings.LastIndex(m.Strategy, ".")+1:]
			if class != "" && !slices.Contains(usual, class) {
				of[class]++
			}
		}
		for _, class := range clusters.SortedKeys(of) {
			is := findings.Allocation.Warning
			next := ""
			if class == byHash {
				is, next = findings.Allocation.Advice, "nothing, unless members have as much as they can do: each queue still has "+
					"one member on the target, and some have more of them than on the source"
			}
			all = append(all, is("group "+group, next, "has members that deal queues among themselves by %s", class).
				With(seen.At, "%d of %d members asked say so; the group has %d", of[class], len(seen.Members[group]),
					len(seen.Online[group].Members)))
		}
	}
	return all
}
