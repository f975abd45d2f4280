// Package live reads the metadata of a running cluster, 4.3 to 5.5, through its name servers: from
// all its masters, or slaves in their place. It only asks, a few calls at a time.
package live

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"rocketshift/internal/clusters"
	"rocketshift/internal/metadata"
	"rocketshift/internal/metadata/brokerjson"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// Reader reads a cluster.
type Reader struct {
	Cluster *rocketmq.Cluster
	// Namespaces are those of the name servers' KV that are read besides the order configuration:
	// name servers don't list them.
	Namespaces []string
	// Progress, if given, is told how many of the groups have been asked for their members.
	Progress func(done, total int)
}

// Read asks for everything. Topics and groups that differ between brokers are gaps, and so are name
// servers that disagree.
func (r Reader) Read(ctx context.Context) (metadata.Cluster, metadata.Gaps, error) {
	var gaps metadata.Gaps
	c := metadata.New(metadata.Origin{Door: "cluster", Of: strings.Join(r.Cluster.NameServers(), ",")})
	registry, err := r.Cluster.Registry(ctx)
	if err != nil {
		return c, nil, err
	}
	if known := registry.Clusters(); len(known) > 1 {
		return c, nil, fmt.Errorf("the name servers %s know several clusters, %s: say which one is meant",
			c.Origin.Of, strings.Join(known, " and "))
	}
	for _, g := range registry.Gaps() {
		gaps.Add("brokers", g.Text+": "+g.Mend())
	}
	brokers, err := r.Cluster.Brokers(ctx)
	if err != nil {
		return c, nil, err
	}
	if len(brokers) == 0 {
		return c, nil, fmt.Errorf("the name servers %s know no broker", c.Origin.Of)
	}
	tables, err := r.tables(ctx, brokers, &gaps)
	if err != nil {
		return c, nil, err
	}
	tables.Origin = c.Origin
	if err := r.members(ctx, brokers, &tables, &gaps); err != nil {
		return c, nil, err
	}
	if err := r.usersOf(ctx, brokers, &tables, &gaps); err != nil {
		return c, nil, err
	}
	if err := r.kv(ctx, registry, &tables, &gaps); err != nil {
		return c, nil, err
	}
	normal(&tables, brokers)
	tables.Sort()
	if err := tables.Check(); err != nil {
		return c, nil, &metadata.Problem{In: "the cluster at " + c.Origin.Of, Why: err.Error()}
	}
	return tables, gaps, nil
}

// ask makes one call, to which every code but the accepted ones is an error.
func (r Reader) ask(
	ctx context.Context, addr string, cmd *remoting.Command, accepted ...int,
) (*remoting.Command, error) {
	var got *remoting.Command
	err := remoting.RetryRead(ctx, func() (err error) {
		again := *cmd
		if got, err = r.Cluster.Client().Call(ctx, addr, &again); err == nil && got.Code != remoting.Success &&
			!slices.Contains(accepted, got.Code) {
			err = &remoting.Error{
				Server: addr,
				Call:   remoting.RequestName(cmd.Code),
				Code:   got.Code,
				Remark: got.Remark,
			}
		}
		return err
	})
	return got, err
}

// tables reads topics, groups and positions of all brokers.
func (r Reader) tables(ctx context.Context, brokers []rocketmq.Broker, gaps *metadata.Gaps) (metadata.Cluster, error) {
	all := metadata.New(metadata.Origin{})
	system := brokerjson.System{Cluster: brokers[0].Cluster}
	for _, b := range brokers {
		system.Brokers = append(system.Brokers, b.Name)
		all.Brokers = append(all.Brokers, metadata.Broker{Name: b.Name, Cluster: b.Cluster, Version: b.Version})
		if b.Slave {
			gaps.Add("settings of a broker", "its slave was asked, since no master is registered", b.Name)
		}
	}
	for _, b := range brokers {
		for _, code := range []int{remoting.CodeTopicConfigs, remoting.CodeGroups, remoting.CodeAllOffsets} {
			part, err := r.table(ctx, b, code, gaps)
			if err != nil {
				return all, err
			}
			if code == remoting.CodeTopicConfigs && strings.HasPrefix(b.Version, "5.") {
				namedNormal(&part)
			}
			system.Strip(&part)
			var told metadata.Gaps
			all, told = metadata.Join(all, part)
			gaps.Join(told)
		}
	}
	return all, nil
}

func (r Reader) table(ctx context.Context, b rocketmq.Broker, code int, gaps *metadata.Gaps) (metadata.Cluster, error) {
	got, err := r.ask(ctx, b.Addr, &remoting.Command{Code: code})
	if err != nil {
		return metadata.Cluster{}, err
	}
	o, err := brokerjson.Document(got.Body)
	var part metadata.Cluster
	if err == nil {
		part, err = brokerjson.Tables(o, b.Name, gaps)
	}
	if err != nil {
		in := fmt.Sprintf("broker %s at %s", b.Name, b.Addr)
		err = &metadata.Problem{In: in, At: remoting.RequestName(code), Why: err.Error()}
	}
	for _, entry := range o.Object("topicQueueMappingDetailMap") {
		gaps.Add("static topics", "their mapping of queues to brokers isn't kept", remoting.TextOf(entry.Key))
	}
	return part, err
}

// namedNormal says what a topic of 5.x without a type is.
func namedNormal(c *metadata.Cluster) {
	for i := range c.Topics {
		if c.Topics[i].Type == "" && c.Topics[i].Attributes[rocketmq.TypeAttribute] == "" {
			c.Topics[i].Type = "NORMAL"
		}
	}
}

// normal leaves out which brokers have a group where all have it.
func normal(c *metadata.Cluster, brokers []rocketmq.Broker) {
	for i := range c.Groups {
		if len(c.Groups[i].Brokers) == len(brokers) {
			c.Groups[i].Brokers = nil
		}
	}
}

// members adds what connected members subscribe to.
func (r Reader) members(
	ctx context.Context, brokers []rocketmq.Broker, c *metadata.Cluster, gaps *metadata.Gaps,
) error {
	var mu sync.Mutex
	var seen []metadata.Subscription
	done := 0
	err := clusters.Each(ctx, c.Groups, func(ctx context.Context, g metadata.Group) error {
		for _, b := range brokers {
			if len(g.Brokers) > 0 && !slices.Contains(g.Brokers, b.Name) {
				continue
			}
			found, err := r.subscribed(ctx, b.Addr, g.Name)
			if err != nil {
				return err
			}
			mu.Lock()
			seen = append(seen, found...)
			mu.Unlock()
		}
		mu.Lock()
		defer mu.Unlock()
		if done++; r.Progress != nil {
			r.Progress(done, len(c.Groups))
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(seen, func(a, b metadata.Subscription) int {
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	part := metadata.New(c.Origin)
	part.Subscriptions = seen
	joined, told := metadata.Join(*c, part)
	*c = joined
	gaps.Join(told)
	for _, s := range c.Subscriptions {
		if s.Seen == metadata.SeenPositions {
			gaps.Add("filters of subscriptions", "no member of the group was connected and asked for the topic",
				s.Group+" "+s.Topic)
		}
	}
	return nil
}

func (r Reader) subscribed(ctx context.Context, addr, group string) (all []metadata.Subscription, err error) {
	var got rocketmq.ConsumerConnections
	err = remoting.RetryRead(ctx, func() (err error) {
		got, err = r.Cluster.Client().ConsumerConnectionsOf(ctx, addr, group)
		return err
	})
	for _, s := range got.Subscriptions {
		if _, retry := rocketmq.RetryGroup(s.Topic); retry {
			continue
		}
		kind := s.Kind
		if s.ByTags() {
			kind = "TAG"
		}
		all = append(all, metadata.Subscription{
			Group: group, Topic: s.Topic, Type: kind, Expression: s.Expression, Seen: metadata.SeenMembers,
		})
	}
	return all, err
}
