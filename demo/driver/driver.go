// Package driver plays the demo: it starts a real 4.9.7 cluster with running applications and an
// embedded Temporal server, lets rocketshift migrate them to a 5.x cluster, and judges from the
// applications' own ledgers whether anybody was harmed.
//
// The driver plays the people and machines around a migration: the release pipeline, which restarts
// applications with other name servers when the migration asks for it, and the approver. It talks
// to the migration only as those would: by the command line and the status query. Everything that
// it starts ends with it, but a Source, with which persons begin a migration by hand.
package driver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/sdk/client"

	"rocketshift/api"
	"rocketshift/demo/verdict"
	"rocketshift/internal/lab"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// Who gives the approvals.
const (
	ApproveAuto = "auto" // the demo, naming itself
	ApproveMe   = "me"   // the person at the terminal
)

// Options are what a run may vary. Zero values mean the defaults of make demo.
type Options struct {
	Root    string    // the project's root
	Name    string    // of the migration and of the run's folder below .run; default demo
	Out     io.Writer // gets the progress
	Approve string    // ApproveAuto (default) or ApproveMe
	Traffic string    // plan.ModeRelease (default) or plan.ModeGateway
	Rate    float64   // messages a second of each producer, default 30
	History int       // messages that are there before the migration, default 24,000
	// KillWorkerDuring lists stages: when one runs, the worker is killed by kill -9 and started
	// again.
	KillWorkerDuring []string
	// BlackoutDuring is a stage in the middle of which the worker and Temporal are killed, to be
	// started again after BlackoutFor.
	BlackoutDuring string
	BlackoutFor    time.Duration
	// BackAt asks to go back when the step of this percentage soaks: the run then ends rolled back.
	// 0 goes to the end.
	BackAt int
	// Histories, if set, begins the names of files that get the workflows' histories: replay
	// fixtures.
	Histories string
	// Keep leaves everything running at the end, until the context ends.
	Keep bool
}

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = "demo"
	}
	if o.Approve == "" {
		o.Approve = ApproveAuto
	}
	if o.Traffic == "" {
		o.Traffic = plan.ModeRelease
	}
	if o.Rate == 0 {
		o.Rate = 30
	}
	if o.History == 0 {
		o.History = 24_000
	}
	return o
}

// Result is what a run ends with.
type Result struct {
	Verdict   verdict.Verdict
	Detail    verdict.Detail
	Status    api.Status
	Workflows []Execution
	// Starts is how often each application was started, by the name of its ledger.
	Starts map[string]int
}

const (
	// patience bounds a run whose approver is the demo. On two cores with three other busy
	// processes it takes up to five minutes.
	patience = 20 * time.Minute
	// afterShift is how many messages each producer sends after the migration ended: the target is
	// in use.
	afterShift = 100
)

// demo is one run.
type demo struct {
	o       Options
	console *console
	files   lab.Files
	dir     string // .run/<name>

	lock     *os.File // nil: nothing was started
	temporal *lab.Temporal
	source   *lab.Cluster
	sdk      client.Client
	rocket   *rocketmq.Client
	worker   *process
	workers  int // started so far
	gateway  *process
	control  string   // address of its control API
	entrance []string // the name servers that applications begin with
	fleet    *fleet
	tail     *ledgerTail
	// background says that applications outlive the driver.
	background bool
	// deploy, if set, is the release pipeline instead of the driver's own.
	deploy func(ctx context.Context, groups, topics, nameServers []string) error
	result Result
}

// Run plays the demo to its end and stops everything that it started, also when it fails or ctx
// ends. An error means that there is no verdict, or that the migration didn't end well; harm to
// messages is in the verdict.
func Run(ctx context.Context, o Options) (result Result, err error) {
	o = o.withDefaults()
	d := &demo{o: o, console: newConsole(o.Out), dir: filepath.Join(o.Root, ".run", o.Name)}
	defer func() {
		err = errors.Join(err, d.end(context.WithoutCancel(ctx)))
		result = d.result
		result.Verdict.Seconds = int64(time.Since(d.console.begun).Round(time.Second).Seconds())
	}()
	limited := ctx
	if o.Approve == ApproveAuto {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	for _, step := range []func(context.Context) error{
		d.prepare, d.startServers, d.createTopicsAndGroups, d.startGateway, d.startApplications, // the world before
		d.startMigration, d.watch, // the migration
		d.runOnTarget, d.awaitReaders, d.stopApplications, // the world after
		d.judge, d.listWorkflows, d.saveHistories,
	} {
		if err := step(limited); err != nil {
			return d.result, d.explain(ctx, limited, err)
		}
	}
	if o.Keep {
		d.console.say("everything keeps running until Ctrl-C: Web UI %s, target %v", d.temporal.UIAddress,
			d.result.Status.Target.NameServers)
		<-ctx.Done()
	}
	return d.result, nil
}

// explain says whose fault an end of time is.
func (d *demo) explain(ctx, limited context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted")
	case limited.Err() != nil:
		return fmt.Errorf("the demo took longer than %s and was given up: %w; logs are in %s", patience, err, d.dir)
	}
	return err
}
