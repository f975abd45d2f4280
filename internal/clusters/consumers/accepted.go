package consumers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// attempt is one subscription on one broker of the target, with the groups that have it.
type attempt struct {
	rocketmq.Subscription
	broker rocketmq.Broker
	as     string // the group that asks
	groups []string
}

// mostLacks is how many refusals an error tells: the others are told when these are mended.
const mostLacks = 3

// Accepts fails with KindRefused where the target doesn't serve what live members of the groups ask
// the source for. Each of their subscriptions is tried on each broker that has the topic, by a pull
// at the end of a queue: it brings no message, commits nothing, and names the subscription itself,
// so that no member is announced. A group that is open there asks itself. One that is closed can't,
// as brokers look at that first: the lanes' group does, with the same subscription. It fails too
// while a part of either side may not be seen: members may be there, and brokers that serve them.
func Accepts(ctx context.Context, s clusters.Both, groups []string) error {
	l, err := s.MovableLayout(ctx)
	if err != nil {
		return err
	}
	members, err := s.Source.MembersOf(ctx, l.SourceBrokers, groups)
	if err != nil {
		return err
	}
	uses := clusters.UsesOf(members, groups)
	delete(uses, brokerconfig.Filtering) // the broker itself says it
	refusals, err := lacksFor(ctx, s, l.TargetBrokers, uses)
	if err != nil {
		return err
	}
	attempts, missing, err := attemptsOf(ctx, s, l, members)
	if err != nil {
		return err
	}
	refusals = append(refusals, missing...)
	said := make([]string, len(attempts))
	err = clusters.Each(ctx, clusters.Indexes(attempts), func(ctx context.Context, i int) (err error) {
		said[i], err = tryPull(ctx, s, attempts[i])
		return err
	})
	if err != nil {
		return err
	}
	refusals = append(refusals, slices.DeleteFunc(said, func(s string) bool { return s == "" })...)
	if len(refusals) == 0 {
		return nil
	}
	return fault.Refused("the target doesn't serve what groups read now, and nothing has moved: %s; then resume",
		printable.First(refusals, mostLacks))
}

// lacksFor says which settings the target's brokers lack for groups that depend on them.
func lacksFor(
	ctx context.Context, s clusters.Both, brokers []rocketmq.Broker, uses brokerconfig.Uses,
) (refusals []string, err error) {
	if len(uses) == 0 {
		return nil, nil
	}
	settings, err := s.Target.BrokerSettings(ctx, brokers)
	for _, d := range brokerconfig.Compare(nil, settings, uses) {
		if d.Refusal {
			refusals = append(refusals, fmt.Sprintf("%s %s: %s", d.Object, d.Cause, d.Next))
		}
	}
	return refusals, err
}

// attemptsOf are what has to be tried, in a fixed order, and the subscribed topics of the source
// that the target lacks. A filter that is a class of the application can't be tried: settings judge
// it.
func attemptsOf(
	ctx context.Context, s clusters.Both, l clusters.Layout, members map[string]clusters.Connections,
) (all []attempt, missing []string, err error) {
	known, err := targetGroups(ctx, s, l.TargetBrokers)
	if err != nil {
		return nil, nil, err
	}
	made := map[string]int{} // where an attempt stands by what it is
	for _, group := range clusters.SortedKeys(members) {
		for _, sub := range sortedSubscriptions(members[group].Subscribed) {
			if sub.ByClass || len(l.SourceTopics[sub.Topic]) == 0 || clusters.SystemTopic(sub.Topic, l.SourceBrokers) {
				continue
			}
			if len(l.TargetTopics[sub.Topic]) == 0 {
				missing = append(missing, fmt.Sprintf("group %s reads topic %s, which the target hasn't: "+
					"import it (ImportMetadata)", group, sub.Topic))
			}
			for _, b := range l.TargetBrokers {
				if l.TargetTopics[sub.Topic][b.Name].ReadQueues == 0 {
					continue
				}
				as := s.Plan.LaneGroup()
				if known[group][b.Name].ConsumeEnable {
					as = group
				}
				key := fmt.Sprintf("%s %s %s", subscriptionKey(sub), b.Name, as)
				if at, there := made[key]; there {
					all[at].groups = append(all[at].groups, group)
					continue
				}
				made[key] = len(all)
				all = append(all, attempt{sub, b, as, []string{group}})
			}
		}
	}
	return all, missing, nil
}

// targetGroups are the target's groups; none behind a proxy, which doesn't list them.
func targetGroups(ctx context.Context, s clusters.Both, brokers []rocketmq.Broker) (clusters.GroupTable, error) {
	if s.Target.Proxy() != "" {
		return clusters.GroupTable{}, nil
	}
	return s.Target.GroupTable(ctx, brokers)
}

// subscriptionKey tells subscriptions apart, and sorts them.
func subscriptionKey(s rocketmq.Subscription) string {
	return fmt.Sprintf("%q %q %q %t", s.Topic, s.Kind, s.Expression, s.ByClass)
}

func sortedSubscriptions(all map[rocketmq.Subscription]bool) []rocketmq.Subscription {
	byText := map[string]rocketmq.Subscription{}
	for s := range all {
		byText[subscriptionKey(s)] = s
	}
	sorted := make([]rocketmq.Subscription, 0, len(all))
	for _, text := range clusters.SortedKeys(byText) {
		sorted = append(sorted, byText[text])
	}
	return sorted
}

// tryPull pulls with the subscription; refusal is what the broker says against it.
func tryPull(ctx context.Context, s clusters.Both, a attempt) (refusal string, err error) {
	client := s.Target.Client()
	end, err := client.MaxOffset(ctx, a.broker.Addr, a.Topic, 0)
	if err == nil {
		_, err = client.Pull(ctx, a.broker.Addr, rocketmq.PullRequest{
			Group: a.as, Topic: a.Topic, Offset: max(end, 0), Max: 1, Filter: a.Filter,
		})
	}
	var said *remoting.Error
	switch {
	case !errors.As(err, &said), remoting.Retryable(err), remoting.Denied(err):
		return "", s.Target.Explain(ctx, err)
	case said.Code == remoting.SubscriptionGroupGone && a.as == s.Plan.LaneGroup():
		return "", fault.NotReady("target broker %s doesn't know the lanes' group %s: run Replicate first",
			a.broker.Name, a.as)
	}
	return fmt.Sprintf("target broker %s refuses the subscription of %s to topic %s (%s): %v: %s",
		a.broker.Name, few(a.groups), a.Topic, a.filter(), said, a.mend(said)), nil
}

// few names the first of some groups.
func few(groups []string) string {
	if len(groups) == 1 {
		return "group " + groups[0]
	}
	return "groups " + printable.Few(groups)
}

// filter is the subscription's filter in words.
func (a attempt) filter() string {
	if a.ByTags() {
		return fmt.Sprintf("tags %q", a.Expression)
	}
	return fmt.Sprintf("%s %q", a.Kind, a.Expression)
}

// mend is what people do about a refusal. That a kind of filter is switched off is told apart by
// the broker's words alone (PullMessageProcessor, 4.5.2 to 5.3.3: code 1 for this and for much
// else).
func (a attempt) mend(said *remoting.Error) string {
	switch {
	case strings.Contains(said.Remark, "does not support consumer to filter"):
		return fmt.Sprintf("write enablePropertyFilter=true into the configuration of target broker %s "+
			"and start it again", a.broker.Name)
	case said.Code == remoting.SubscriptionParseFailed:
		return "correct the expression in the application: brokers of the target can't read it"
	}
	return "mend what the broker names"
}
