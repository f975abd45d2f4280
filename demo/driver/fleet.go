package driver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// appStart is how long an application may take to be at work: its client waits for routes, and
	// seconds for locks.
	appStart = 2 * time.Minute
	// appStop is longer than an application's own patience for its unfinished work.
	appStop = 90 * time.Second
	// readyLine begins the line that an application prints when it is at work.
	readyLine = "ready"
	// slowWork with the client's 20 workers is 200 messages/s of a topic: half a minute behind a
	// history of 24,000.
	slowWork = 100 * time.Millisecond
	// slowCache keeps what a slow group has to finish before it moves to a few seconds of work.
	slowCache = "16"
)

// application is one deployed application: a producer or a member of a group. It may be started
// anew with other name servers.
type application struct {
	name    string // of its ledger and log
	command []string
	servers []string // it was last started with
	process running  // nil: it doesn't run
	starts  int
}

// running is an application's process: one that dies with the driver, or one that outlives it.
type running interface {
	awaitReady(ctx context.Context, within time.Duration) error
	stop(grace time.Duration) error
	kill()
	alive() bool
	ending() string // of one that isn't alive: how it ended, and its last words
}

// fleet is all applications, deployed by one release pipeline.
type fleet struct {
	program   string // path of rocketshift-demo-app
	dir       string // of ledgers and logs
	begin     func(f *fleet, a *application, args []string) (running, error)
	mu        sync.Mutex
	producers map[string][]*application // by topic
	consumers map[string]*application   // by group
}

func newFleet(program, dir string, o Options) *fleet {
	f := &fleet{
		program: program, dir: dir, begin: spawned,
		producers: map[string][]*application{}, consumers: map[string]*application{},
	}
	for _, t := range topics() {
		for _, name := range t.producers {
			args := []string{
				"produce", "-topic", t.name, "-producer", name,
				"-rate", strconv.FormatFloat(o.Rate, 'f', -1, 64),
				"-history", strconv.Itoa(historyOf(o)),
			}
			if t.ordered {
				args = append(args, "-ordered", "-queues", strconv.Itoa(queues))
			}
			f.producers[t.name] = append(f.producers[t.name], &application{name: "producer-" + name, command: args})
		}
	}
	for _, g := range groups() {
		args := []string{"consume", "-group", g.name, "-topics", strings.Join(g.topics, ",")}
		if g.orderly {
			args = append(args, "-orderly")
		}
		if g.slow {
			args = append(args, "-work", slowWork.String(), "-cache", slowCache)
		}
		f.consumers[g.name] = &application{name: "group-" + g.name, command: args}
	}
	return f
}

// historyOf is the share of one producer in the history.
func historyOf(o Options) int { return (o.History + producerCount() - 1) / producerCount() }

func (f *fleet) log(a *application) string { return filepath.Join(f.dir, a.name+".log") }

func (f *fleet) ledger(a *application) string { return filepath.Join(f.dir, a.name+".ledger") }

// deploy brings the applications of groups and topics to some name servers. Members that run are
// stopped in good order, all before any is started, as a careful pipeline does. Producers of a
// topic are restarted one after another, as any pipeline does: the others go on meanwhile, so that
// a topic is never without. Who is there already stays as it is.
func (f *fleet) deploy(ctx context.Context, groupNames, topicNames, servers []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	members, err := elsewhere(groupNames, servers, func(group string) []*application {
		if a := f.consumers[group]; a != nil {
			return []*application{a}
		}
		return nil
	})
	if err != nil {
		return err
	}
	producers, err := elsewhere(topicNames, servers, func(topic string) []*application { return f.producers[topic] })
	if err != nil {
		return err
	}
	if err := stopAll(slices.Concat(members...)); err != nil {
		return err
	}
	starting, ctx := errgroup.WithContext(ctx)
	for _, a := range slices.Concat(members...) {
		starting.Go(func() error { return f.start(ctx, a, servers) })
	}
	for _, ofTopic := range producers {
		starting.Go(func() error { return f.restartInTurn(ctx, ofTopic, servers) })
	}
	return starting.Wait()
}

// elsewhere are the applications of groups or topics that aren't at some name servers.
func elsewhere(names, servers []string, find func(string) []*application) (all [][]*application, err error) {
	for _, name := range names {
		found := find(name)
		if len(found) == 0 {
			return nil, fmt.Errorf("release pipeline: %q is none of the demo's groups and topics", name)
		}
		all = append(all, slices.DeleteFunc(slices.Clone(found), func(a *application) bool {
			return a.process != nil && slices.Equal(a.servers, servers)
		}))
	}
	return all, nil
}

// restartInTurn stops one application and starts it elsewhere, then the next one.
func (f *fleet) restartInTurn(ctx context.Context, apps []*application, servers []string) error {
	for _, a := range apps {
		if err := stopAll([]*application{a}); err != nil {
			return err
		}
		if err := f.start(ctx, a, servers); err != nil {
			return err
		}
	}
	return nil
}

func (f *fleet) start(ctx context.Context, a *application, servers []string) error {
	a.starts++
	args := append([]string{f.program}, a.command...)
	args = append(args, "-name-servers", strings.Join(servers, ","), "-ledger", f.ledger(a),
		"-instance", fmt.Sprintf("%s-%d", a.name, a.starts))
	p, err := f.begin(f, a, args)
	if err != nil {
		return err
	}
	a.process, a.servers = p, servers
	return p.awaitReady(ctx, appStart)
}

// spawned starts an application that dies with the driver.
func spawned(f *fleet, a *application, args []string) (running, error) {
	return spawn(a.name, f.log(a), readyLine, nil, args...)
}

// stopAll stops applications in good order, at the same time.
func stopAll(apps []*application) error {
	errs := make([]error, len(apps))
	var stopping sync.WaitGroup
	for i, a := range apps {
		if a.process == nil {
			continue
		}
		stopping.Go(func() {
			errs[i] = a.process.stop(appStop)
			a.process = nil
		})
	}
	stopping.Wait()
	return errors.Join(errs...)
}

// stopProducers and stopConsumers end what still runs.
func (f *fleet) stopProducers() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return stopAll(f.allProducers())
}

func (f *fleet) stopConsumers() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return stopAll(slices.Collect(maps.Values(f.consumers)))
}

func (f *fleet) allProducers() []*application {
	return slices.Concat(slices.Collect(maps.Values(f.producers))...)
}

// all are all applications.
func (f *fleet) all() []*application {
	return slices.AppendSeq(f.allProducers(), maps.Values(f.consumers))
}

// kill ends everything at once; nobody reads the ledgers any more.
func (f *fleet) kill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.all() {
		if a.process != nil && a.process.alive() {
			a.process.kill()
		}
	}
}

// startCounts are how often applications were started.
func (f *fleet) startCounts() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	counts := map[string]int{}
	for _, a := range f.all() {
		counts[a.name] = a.starts
	}
	return counts
}

// sendingTo are the topics all of whose producers run with some name servers.
func (f *fleet) sendingTo(servers []string) (names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for topic, apps := range f.producers {
		if !slices.ContainsFunc(apps, func(a *application) bool {
			return a.process == nil || !slices.Equal(a.servers, servers)
		}) {
			names = append(names, topic)
		}
	}
	return names
}

// checkAlive finds an application that ended by itself.
func (f *fleet) checkAlive() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.all() {
		if a.process != nil && !a.process.alive() {
			return fmt.Errorf("application %s ended by itself %s", a.name, a.process.ending())
		}
	}
	return nil
}
