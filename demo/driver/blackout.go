package driver

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"rocketshift/api"
	"rocketshift/internal/lab"
)

// blackout kills the worker and Temporal in the middle of the stage that the options name, and
// starts them again later: meanwhile nothing moves, which the command line says, and producers go
// on.
func (w *watcher) blackout(ctx context.Context, s api.Status) error {
	running := func(stage api.StageStatus) bool {
		return stage.Name == w.o.BlackoutDuring && stage.State == api.StageRunning && w.inTheMiddle(ctx, stage.Name, s)
	}
	if w.blackedOut || !slices.ContainsFunc(s.Stages, running) {
		return nil
	}
	w.blackedOut = true
	w.console.say("kill -9 of the worker and of Temporal during %s, for %s", w.o.BlackoutDuring, w.o.BlackoutFor)
	w.worker.kill()
	if err := w.temporal.Kill(); err != nil {
		return err
	}
	if err := w.saysThatNothingMoves(ctx); err != nil {
		return err
	}
	if err := w.producersGoOnFor(ctx, w.o.BlackoutFor); err != nil {
		return err
	}
	if err := w.startTemporalAgain(ctx); err != nil {
		return err
	}
	return w.startWorker(ctx)
}

// saysThatNothingMoves asks for the status, and wants to be told what is the matter.
func (d *demo) saysThatNothingMoves(ctx context.Context) error {
	err := d.rocketshift(ctx, "status", d.o.Name)
	if err == nil || !strings.Contains(err.Error(), d.temporal.Address) {
		return fmt.Errorf("without Temporal, rocketshift status ended with %v; wanted an error that names %s",
			err, d.temporal.Address)
	}
	d.console.say("%v", err)
	return nil
}

// producersGoOnFor wants every producer to be acknowledged all through a time. Groups whose
// messages are stored on the other side wait for the lanes, which went with the worker.
func (d *demo) producersGoOnFor(ctx context.Context, span time.Duration) error {
	const often = 5 // times within it
	var all []string
	for _, t := range topics() {
		all = append(all, t.name)
	}
	for range often {
		if err := pause(ctx, span/often); err != nil {
			return err
		}
		if err := d.producersGoOn(ctx, all); err != nil {
			return err
		}
		sent, got, err := d.tail.counts()
		if err != nil {
			return err
		}
		d.console.say("without Temporal and the worker: %v sent, %v received", sent, got)
	}
	return nil
}

// producersGoOn waits until more was acknowledged of each of some topics than before.
func (d *demo) producersGoOn(ctx context.Context, names []string) error {
	before, _, err := d.tail.counts()
	if err != nil {
		return err
	}
	return d.await(ctx, deliveryTime, func() (string, error) {
		now, _, err := d.tail.counts()
		for _, topic := range names {
			if now[topic] == before[topic] {
				return "nothing was sent to topic " + topic + " while there was no worker", err
			}
		}
		return "", err
	})
}

// startTemporalAgain starts it where it was.
func (d *demo) startTemporalAgain(ctx context.Context) error {
	_, port, err := net.SplitHostPort(d.temporal.Address)
	if err != nil {
		return err
	}
	ui, err := url.Parse(d.temporal.UIAddress)
	if err != nil {
		return err
	}
	var spec lab.TemporalSpec
	if spec.Port, err = strconv.Atoi(port); err != nil {
		return err
	}
	if spec.UIPort, err = strconv.Atoi(ui.Port()); err != nil {
		return err
	}
	d.temporal, err = lab.StartTemporal(ctx, d.o.Root, filepath.Join(d.dir, "temporal"), spec)
	return err
}
