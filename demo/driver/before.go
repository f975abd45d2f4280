package driver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"sigs.k8s.io/yaml"

	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

const (
	readWrite = 6 // permission of a topic: read 4 and write 2
	// historyTime is how long writing the history may take; 24,000 messages take seconds.
	historyTime = 6 * time.Minute
	// look is the time between two looks at ledgers and at the status.
	look = 250 * time.Millisecond
)

// createTopicsAndGroups sets up the source as an administrator would.
func (d *demo) createTopicsAndGroups(ctx context.Context) error {
	for _, broker := range d.source.Brokers {
		for _, t := range topics() {
			err := d.rocket.CreateTopic(ctx, broker.Addr, rocketmq.TopicConfig{
				Name: t.name, ReadQueues: queuesPerBroker, WriteQueues: queuesPerBroker, Perm: readWrite,
				FilterType: "SINGLE_TAG",
			})
			if err != nil {
				return err
			}
		}
		for _, g := range groups() {
			if err := d.rocket.PutGroup(ctx, broker.Addr, newGroup(g.name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// newGroup is a group with RocketMQ's own defaults.
func newGroup(name string) rocketmq.Group {
	return rocketmq.Group{
		Name: name, ConsumeEnable: true, FromMinEnable: true, BroadcastEnable: true, RetryQueues: 1, RetryMaxTimes: 16,
		WhichBrokerWhenSlow: 1, NotifyChanged: true,
	}
}

// newApplications makes the fleet and what follows its ledgers; nothing is started.
func (d *demo) newApplications() {
	d.fleet = newFleet(d.bin("rocketshift-demo-app"), filepath.Join(d.dir, "apps"), d.o)
	if d.background {
		d.fleet.begin = inBackground
	}
	d.tail = newLedgerTail(d.fleet)
}

// startApplications deploys all applications on the source and waits until the history is written;
// consumers are reading it meanwhile, and producers go on at their rate.
func (d *demo) startApplications(ctx context.Context) error {
	d.newApplications()
	groupNames, topicNames := names()
	d.console.say("starting %d producers and %d consumer groups on the stock 4.x client", producerCount(),
		len(groupNames))
	if err := d.fleet.deploy(ctx, groupNames, topicNames, d.entrance); err != nil {
		return err
	}
	want := historyOf(d.o) * producerCount()
	if err := d.await(ctx, historyTime, func() (string, error) {
		acked, err := d.tail.acknowledged()
		if acked >= want {
			return "", err
		}
		return fmt.Sprintf("the history has %d of %d messages", acked, want), err
	}); err != nil {
		return err
	}
	d.console.say("a history of %d messages is written; producers go on at %.0f messages/s each", want, d.o.Rate)
	return nil
}

// await looks until what is missing is empty. It fails when an application ends by itself.
func (d *demo) await(ctx context.Context, within time.Duration, missing func() (string, error)) error {
	deadline := time.Now().Add(within)
	for {
		what, err := missing()
		if err != nil || what == "" {
			return err
		}
		if err := d.fleet.checkAlive(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %s: %s", within, what)
		}
		if err := pause(ctx, look); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// plan is what the demo's people agreed on: everything moves, in two steps, each with an approval.
func (d *demo) plan() plan.Plan {
	return plan.Plan{
		Name:    d.o.Name,
		Source:  plan.Cluster{NameServers: d.source.NameServers},
		Target:  plan.Target{Provider: plan.ProviderLocal, Version: targetVersion, Brokers: 1},
		Topics:  plan.TopicSelection{Ordered: orderedTopics()},
		Traffic: d.traffic(),
		Shift:   plan.Shift{Steps: []int{25, 100}, Soak: plan.Duration(2 * time.Second)},
		// A killed worker is replaced within seconds, not within the default minute.
		Replicate: plan.Replicate{Heartbeat: plan.Duration(5 * time.Second)},
	}
}

// startMigration writes the plan and starts it as a person would.
func (d *demo) startMigration(ctx context.Context) error {
	text, err := yaml.Marshal(d.plan().WithDefaults())
	if err != nil {
		return err
	}
	path := filepath.Join(d.dir, "plan.yaml")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return err
	}
	d.console.say("rocketshift start -f %s", path)
	return d.rocketshift(ctx, "start", "-f", path)
}
