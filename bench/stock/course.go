package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/rocketmq"
)

// load is what there is to copy.
type load struct {
	messages int
	queues   int // of the topic on each broker
	body     int // bytes
}

// course is a pair of clusters on which ways run, each on a topic of its own.
type course struct {
	load
	source, target *side
	dir            string // the copiers' logs
}

// side is one of the clusters.
type side struct {
	servers *lab.Cluster
	client  *rocketmq.Client
	cluster *rocketmq.Cluster
}

func newSide(servers *lab.Cluster) *side {
	client := rocketmq.NewClient(rocketmq.Options{})
	return &side{servers: servers, client: client, cluster: rocketmq.NewCluster(client, servers.NameServers)}
}

// startCourse starts a 4.9.7 and a 5.3.3 cluster of one broker each in the folder dir. The returned
// function ends them.
func startCourse(ctx context.Context, files lab.Files, dir string, l load) (*course, func() error, error) {
	c := &course{load: l, dir: dir}
	end := func() error {
		var errs []error
		for _, s := range []*side{c.source, c.target} {
			if s != nil {
				s.client.Close()
				errs = append(errs, s.servers.Kill()) // nobody needs its data
			}
		}
		return errors.Join(errs...)
	}
	for _, start := range []struct {
		side          **side
		name, version string
	}{{&c.source, "Source", "4.9.7"}, {&c.target, "Target", "5.3.3"}} {
		spec := lab.ClusterSpec{Name: start.name, Version: start.version, Compiled: true}
		servers, err := lab.Start(ctx, files, filepath.Join(dir, start.name), spec)
		if err != nil {
			return nil, nil, errors.Join(err, end())
		}
		*start.side = newSide(servers)
	}
	return c, end, nil
}

// warmUp has both sides store and read as much as a run does, so that the first way doesn't meet
// colder servers than the last one.
func (c *course) warmUp(ctx context.Context) error {
	const topic = "bench-warm-up"
	for _, s := range []*side{c.source, c.target} {
		if err := s.fill(ctx, topic, c.load); err != nil {
			return err
		}
		if _, err := s.tally(ctx, topic, c.messages); err != nil {
			return err
		}
	}
	return nil
}

// makeTopic makes a topic on all brokers of a side and returns when clients can find it.
func (s *side) makeTopic(ctx context.Context, topic string, queues int) error {
	brokers, err := s.cluster.Brokers(ctx)
	if err != nil {
		return err
	}
	for _, b := range brokers {
		config := rocketmq.TopicConfig{
			Name:        topic,
			ReadQueues:  queues,
			WriteQueues: queues,
			Perm:        6,
			FilterType:  "SINGLE_TAG",
		}
		if err := s.client.CreateTopic(ctx, b.Addr, config); err != nil {
			return fmt.Errorf("topic %s on %s: %w", topic, b.Name, err)
		}
	}
	return s.awaitRoute(ctx, topic, len(brokers))
}

// routeTime is long against the moment that a broker needs to tell its name server of a new topic.
const routeTime = 30 * time.Second

func (s *side) awaitRoute(ctx context.Context, topic string, brokers int) error {
	ctx, cancel := context.WithTimeout(ctx, routeTime)
	defer cancel()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		route, err := s.cluster.Route(ctx, topic)
		if err == nil && len(route.Brokers) == brokers {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("topic %s: %d of %d brokers in its route after %s (%v)", topic,
				len(route.Brokers), brokers, routeTime, err)
		case <-look.C:
		}
	}
}

// newDir makes a folder for a run below .run, where people look when something fails.
func newDir(root string) (string, error) {
	parent := filepath.Join(root, ".run", "bench")
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", fmt.Errorf("folder of the run: %w", err)
	}
	dir, err := os.MkdirTemp(parent, "stock-")
	if err != nil {
		return "", fmt.Errorf("folder of the run: %w", err)
	}
	return dir, nil
}
