package driver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rocketshift/demo/verdict"
	"rocketshift/internal/lab"
	"rocketshift/internal/rocketmq"
)

const (
	// SourcePort is the name server's, as the plan of docs/examples says.
	SourcePort = 9876
	// sourceRate of six producers is a million messages a day, some 1 GB, should nobody stop them.
	sourceRate = 2
	// drainTime is how long groups may take for what producers sent last. Who stops a source in the
	// middle of a migration waits so long for nothing.
	drainTime = 30 * time.Second
	// servesFile says that everything was at work: what is missing since then has ended by itself.
	servesFile = "serves"
)

// Source is a 4.x cluster with applications at work, with which a migration by hand begins. It
// outlives the program that starts it; all that it is lies in one folder.
type Source struct {
	Root    string    // the project's root
	Out     io.Writer // gets the progress
	Port    int       // of the name server, default SourcePort
	History int       // messages that are there at first, default 24,000
	Rate    float64   // messages a second of each producer
}

// open is a driver for the source's folder, whose lock it holds.
func (s Source) open() (*demo, error) {
	o := Options{Root: s.Root, Name: "source", Out: s.Out, Rate: s.Rate, History: s.History}
	if o.Rate == 0 {
		o.Rate = sourceRate
	}
	o = o.withDefaults()
	d := &demo{o: o, console: newConsole(o.Out), dir: filepath.Join(o.Root, ".run", o.Name), background: true}
	var err error
	if d.lock, err = lockRun(d.dir+".lock", "another make source or source-stop is at work"); err != nil {
		return nil, err
	}
	d.newApplications()
	if err := d.fleet.attach(); err != nil {
		return nil, errors.Join(err, d.lock.Close())
	}
	return d, nil
}

// Start starts the cluster and its applications in the background, and returns the address of the
// name server. It is called again for what runs already: that stays as it is. What an interrupted
// start left is ended first; of one whose parts have ended since, an error names them.
func (s Source) Start(ctx context.Context) (nameServer string, err error) {
	d, err := s.open()
	if err != nil {
		return "", err
	}
	defer d.lock.Close()
	if _, err := os.Stat(d.served()); err == nil {
		return d.running()
	}
	if d.files, err = check(s.Root); err != nil {
		return "", err
	}
	if err := d.endSource(); err != nil {
		return "", fmt.Errorf("end what an earlier source left: %w", err)
	}
	if err := os.RemoveAll(d.dir); err != nil {
		return "", fmt.Errorf("clear what an earlier source left: %w", err)
	}
	if err := s.bringUp(ctx, d); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		return "", errors.Join(err, d.endSource())
	}
	return d.source.NameServers[0], nil
}

func (s Source) bringUp(ctx context.Context, d *demo) error {
	if err := os.MkdirAll(filepath.Join(d.dir, "apps"), 0o755); err != nil {
		return err
	}
	spec := sourceSpec()
	spec.Detached, spec.NameServerPort = true, s.Port
	if spec.NameServerPort == 0 {
		spec.NameServerPort = SourcePort
	}
	d.console.say("starting a RocketMQ %s cluster with %d brokers", sourceVersion, sourceBrokers)
	var err error
	if d.source, err = lab.Start(ctx, d.files, d.cluster(), spec); err != nil {
		return err
	}
	d.entrance = d.source.NameServers
	d.rocket = rocketmq.NewClient(rocketmq.Options{})
	defer d.rocket.Close()
	if err := d.createTopicsAndGroups(ctx); err != nil {
		return err
	}
	if err := d.startApplications(ctx); err != nil {
		return err
	}
	return os.WriteFile(d.served(), nil, 0o644)
}

func (d *demo) served() string { return filepath.Join(d.dir, servesFile) }

func (d *demo) cluster() string { return filepath.Join(d.dir, "cluster") }

// running is the name server of a source all of which is at work.
func (d *demo) running() (nameServer string, err error) {
	cluster, err := lab.Open(d.cluster())
	for _, a := range d.fleet.all() {
		if a.process == nil || !a.process.alive() {
			err = errors.Join(err, fmt.Errorf("application %s has ended: see %s", a.name, d.fleet.log(a)))
		}
	}
	if err != nil {
		return "", fmt.Errorf("the source in %s runs in part only: %w\nend the rest by \"make source-stop\", "+
			"then start it by \"make source\"", d.dir, err)
	}
	d.console.say("it runs already, in %s", d.dir)
	return cluster.NameServers[0], nil
}

// Release restarts all applications with other name servers, one after the other, as a release
// pipeline does. Those that use them already stay.
func (s Source) Release(ctx context.Context, nameServers []string) error {
	d, err := s.open()
	if err != nil {
		return err
	}
	defer d.lock.Close()
	if _, err := os.Stat(d.served()); err != nil {
		return fmt.Errorf("no source runs in %s: start it by \"make source\"", d.dir)
	}
	groups, topics := names()
	begun := time.Now()
	if err := d.rollOut(ctx, groups, topics, nameServers); err != nil {
		return fmt.Errorf("applications of the source: %w; call it again, or end them by \"make source-stop\"", err)
	}
	d.console.say("all applications use the name servers %s, after %.1f s", strings.Join(nameServers, ","),
		time.Since(begun).Seconds())
	return nil
}

// Stop ends what Start and Release started, and nothing else: applications in good order, so that
// their ledgers are whole, then the cluster. Its messages are lost; ledgers and logs stay until the
// next Start. The verdict of the ledgers is nil if there was nothing to end.
func (s Source) Stop(ctx context.Context) (*verdict.Verdict, error) {
	d, err := s.open()
	if err != nil {
		return nil, err
	}
	defer d.lock.Close()
	servers, err := lab.Processes(d.cluster())
	if err != nil && !errors.Is(err, lab.ErrNoCluster) {
		return nil, err
	}
	apps := slices.ContainsFunc(d.fleet.all(), func(a *application) bool { return a.process != nil })
	_, missing := os.Stat(d.served())
	if len(servers) == 0 && !apps && errors.Is(missing, fs.ErrNotExist) {
		d.console.say("no source runs in %s: nothing to stop", d.dir)
		return nil, nil //nolint:nilnil // as it says
	}
	if err := os.Remove(d.served()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := d.stopInOrder(ctx); err != nil {
		d.console.say("%v", err)
	}
	if err := d.endSource(); err != nil {
		return nil, err
	}
	d.console.say("the source is stopped; logs and ledgers stay in %s until the next start", d.dir)
	return d.ledgers()
}

// stopInOrder ends producers, and groups when they have what was sent.
func (d *demo) stopInOrder(ctx context.Context) error {
	if err := d.fleet.stopProducers(); err != nil {
		return err
	}
	if err := d.await(ctx, drainTime, d.tail.missing); err != nil {
		d.console.say("%v", err) // the verdict counts it
	}
	return d.fleet.stopConsumers()
}

// endSource ends whatever runs of a source, at once.
func (d *demo) endSource() error {
	var errs []error
	for _, a := range d.fleet.all() {
		if a.process != nil {
			errs = append(errs, a.process.stop(0))
			a.process = nil
		}
	}
	return errors.Join(append(errs, endCluster(d.cluster()))...)
}

// endCluster ends the cluster of a folder at once, as its messages are thrown away. One that was
// started only in part is ended too.
func endCluster(dir string) error {
	if cluster, err := lab.Open(dir); err == nil {
		return cluster.Kill()
	}
	return lab.StopDir(dir)
}

// ledgers prints what the applications' own ledgers say, the verdict on a line of its own.
func (d *demo) ledgers() (*verdict.Verdict, error) {
	in, err := d.tail.verdictInput()
	if err != nil {
		return nil, err
	}
	v, detail, err := verdict.Judge(in)
	if err != nil {
		return nil, err
	}
	for _, e := range detail.Examples {
		d.console.say("%s", e)
	}
	line, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(d.o.Out, string(line))
	return &v, nil
}
