package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/lab"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/replica"
)

// course is a broker with a gateway before it, and where it is needed a proxy, or a target.
type course struct {
	options
	files   lab.Files
	dir     string
	root    string
	source  *lab.Cluster
	target  *lab.Cluster // of loads that have one
	gateway *hop
	// verifier is a second gateway, which has the clients' keys; nil without -keys.
	verifier *hop
	talk     io.Writer // of the programs that it runs
}

// topic is where a load is sent to, with so many queues.
const (
	topic  = "bench-gateway-load"
	queues = 8
)

func startCourse(ctx context.Context, o options) (c *course, end func() error, err error) {
	root, err := lab.Root()
	if err != nil {
		return nil, nil, err
	}
	files, err := lab.FindFiles(root)
	if err != nil {
		return nil, nil, err
	}
	keep := cmp.Or(o.keep, filepath.Join(root, ".run"))
	if err := os.MkdirAll(keep, 0o755); err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp(keep, "bench-gateway-")
	if err != nil {
		return nil, nil, err
	}
	c = &course{options: o, files: files, dir: dir, root: root, talk: os.Stderr}
	end = func() error {
		errs := []error{c.gateway.end(), c.verifier.end()}
		for _, cluster := range []*lab.Cluster{c.source, c.target} {
			if cluster != nil {
				errs = append(errs, cluster.Kill())
			}
		}
		return errors.Join(append(errs, os.RemoveAll(dir))...)
	}
	for _, step := range []func(context.Context) error{c.startClusters, c.makeTopics, c.startGateways} {
		if err := step(ctx); err != nil {
			return nil, nil, errors.Join(err, end())
		}
	}
	return c, end, nil
}

// pair reports whether the load is one that needs a target.
func (o options) pair() bool { return o.load == clients || o.load == moves }

// compiled reports whether Java programs compile what is hot once more. Where waits are measured,
// that takes the processors away from whoever waits, for minutes, and again with everything that is
// new to a broker, as its first moves are.
func (o options) compiled() bool { return o.load != moves }

// heapUnderSiege is how much memory the broker has for its objects, in MiB: half of what the
// distribution's scripts give it.
const heapUnderSiege = 4096

func (c *course) startClusters(ctx context.Context) (err error) {
	spec := lab.ClusterSpec{
		Name:     "Load",
		Compiled: true,
		Version:  c.version,
		Proxy:    c.version[0] == '5',
		Config:   map[string]string{"waitTimeMillsInSendQueue": "1000"},
	}
	if c.flush {
		spec.Config["flushDiskType"] = "SYNC_FLUSH"
	}
	if c.load == hostile || c.load == restarts {
		spec = lab.ClusterSpec{Name: "Load", Compiled: true, Version: "4.9.7", Config: spec.Config}
	}
	if c.load == hostile {
		spec.Heap = heapUnderSiege
	}
	if c.pair() {
		spec = lab.ClusterSpec{Name: "Source", Compiled: c.compiled(), Version: "4.9.7", Config: spec.Config}
		there := lab.ClusterSpec{Name: "Target", Compiled: c.compiled(), Version: "5.3.3", Config: spec.Config}
		if c.target, err = lab.Start(ctx, c.files, filepath.Join(c.dir, "target"), there); err != nil {
			return err
		}
	}
	c.source, err = lab.Start(ctx, c.files, filepath.Join(c.dir, "source"), spec)
	return err
}

// makeTopics makes the topics of the load on both sides.
func (c *course) makeTopics(ctx context.Context) error {
	if err := c.makeTopic(ctx, topic, queues); err != nil {
		return err
	}
	if c.load != moves {
		return nil
	}
	for _, name := range c.wide() {
		if err := c.makeTopic(ctx, name, wideQueues); err != nil {
			return err
		}
	}
	return nil
}

func (c *course) makeTopic(ctx context.Context, name string, queues int) error {
	return c.each(ctx, func(client *rocketmq.Client, addr string) error {
		return client.CreateTopic(ctx, addr,
			rocketmq.TopicConfig{Name: name, ReadQueues: queues, WriteQueues: queues, Perm: 6})
	})
}

func (c *course) makeGroup(ctx context.Context, name string) error {
	err := c.each(ctx, func(client *rocketmq.Client, addr string) error {
		return client.PutGroup(ctx, addr, rocketmq.Group{
			Name:            name,
			ConsumeEnable:   true,
			FromMinEnable:   true,
			BroadcastEnable: true,
			RetryQueues:     1,
			RetryMaxTimes:   16,
			NotifyChanged:   true,
		})
	})
	return errors.Join(err, c.makeTopic(ctx, rocketmq.RetryTopic(name), 1))
}

// each calls the broker of each side.
func (c *course) each(ctx context.Context, call func(client *rocketmq.Client, addr string) error) error {
	client := rocketmq.NewClient(rocketmq.Options{})
	defer client.Close()
	for _, cluster := range []*lab.Cluster{c.source, c.target} {
		if cluster == nil {
			continue
		}
		if err := call(client, cluster.Brokers[0].Addr); err != nil {
			return fmt.Errorf("cluster %s: %w", cluster.Spec().Name, err)
		}
	}
	return nil
}

// names are those of the migration's lanes.
var names = replica.Names{Group: "rocketshift-bench", Source: "S", Target: "T"}

// use tells the gateway its migration.
func (c *course) use(ctx context.Context) error {
	_, err := c.gateway.control.Use(ctx, control.Migration{
		Name:        "bench",
		LaneGroup:   names.Group,
		Source:      names.Source,
		Target:      names.Target,
		NameServers: c.target.NameServers,
	})
	return err
}
