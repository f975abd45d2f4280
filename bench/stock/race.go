package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"time"

	"rocketshift/internal/lab"
)

// lookEvery is how often the target is looked at: seldom enough to cost it nothing.
const lookEvery = 50 * time.Millisecond

// result is one run of one way. Processor times are user and system.
type result struct {
	Way       string  `json:"way"`
	Round     int     `json:"round"`
	Messages  int64   `json:"messages"` // that were copied, each counted once
	Complete  bool    `json:"complete"` // all were copied in time
	Seconds   float64 `json:"seconds"`  // from when the target stored the first copy to when it stored the last
	PerSecond float64 `json:"perSecond"`
	// CPUSeconds is the copier's whole life. For Java that includes the JVM's start and compiling
	// Copy.java.
	CPUSeconds float64 `json:"cpuSeconds"`
	// StartCPUSeconds is the part of CPUSeconds before a first copy was seen on the target.
	StartCPUSeconds float64 `json:"startCpuSeconds"`
	// SourceCPUSeconds is what the source's servers used from the copier's start until the last
	// copy was seen.
	SourceCPUSeconds float64 `json:"sourceCpuSeconds"`
	// TargetCPUSeconds is what the target's servers used from the last look before the first copy
	// until the last copy was seen: idle 5.x brokers use a lot, which would be counted against
	// programs that start slowly.
	TargetCPUSeconds float64 `json:"targetCpuSeconds"`
	Duplicates       int64   `json:"duplicates"`
	FailedSends      int64   `json:"failedSends"` // as the copier saw them; it tries again
	LastFailure      string  `json:"lastFailure,omitempty"`
	Error            string  `json:"error,omitempty"` // the copier died, or could not be watched
}

// limits say how a way may run.
type limits struct {
	threads int
	atMost  time.Duration
}

// race is a way at work.
type race struct {
	*course
	topic  string
	copier *copier
	result result

	stored                     int64 // when looked last
	sourceBefore, targetBefore time.Duration
}

// run has a way copy a fresh topic, until all is copied or its time is over. The result holds what
// is known, whatever the error.
func (c *course) run(ctx context.Context, w way, round int, l limits) (result, error) {
	r := &race{
		course: c,
		topic:  fmt.Sprintf("bench-%s-%d", w.name(), round),
		result: result{Way: w.name(), Round: round},
	}
	err := r.run(ctx, w, l)
	if err != nil {
		err = fmt.Errorf("way %s, round %d: %w", w.name(), round, err)
		r.result.Error = err.Error()
	}
	return r.result, err
}

func (r *race) run(ctx context.Context, w way, l limits) error {
	if err := r.source.fill(ctx, r.topic, r.load); err != nil {
		return err
	}
	if err := r.target.makeTopic(ctx, r.topic, r.queues); err != nil {
		return err
	}
	args, err := w.command(job{
		Source: r.source.servers.NameServers, Target: r.target.servers.NameServers,
		Topic: r.topic, Group: r.topic, Threads: l.threads,
	})
	if err != nil {
		return err
	}
	if r.sourceBefore, err = r.source.servers.CPU(); err != nil {
		return err
	}
	if r.copier, err = startCopier(args, filepath.Join(r.dir, r.topic+".log")); err != nil {
		return err
	}
	watch := r.watch(ctx, l.atMost)
	var stop error
	r.result.FailedSends, r.result.LastFailure, stop = r.copier.stop()
	r.result.CPUSeconds = seconds(r.copier.cpu())
	if !r.result.Complete && ctx.Err() == nil {
		watch = errors.Join(watch, r.count(ctx))
	}
	return errors.Join(watch, stop)
}

// watch looks at the target until all is copied, the time is over, or the copier ends by itself,
// which stop tells.
func (r *race) watch(ctx context.Context, atMost time.Duration) error {
	over := time.NewTimer(atMost)
	defer over.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		if err := r.look(ctx); err != nil || r.result.Complete {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.copier.ended:
			return nil
		case <-over.C:
			return nil
		case <-look.C:
		}
	}
}

// look takes the times that belong to what the target holds now.
func (r *race) look(ctx context.Context) error {
	target, err := r.target.servers.CPU()
	if err != nil {
		return err
	}
	stored, err := r.target.stored(ctx, r.topic)
	if err != nil {
		return err
	}
	before := r.stored
	if r.stored = stored; stored == before {
		if stored == 0 {
			r.targetBefore = target
		}
		return nil
	}
	if before == 0 {
		// One that has ended meanwhile has told all it knew: its start can't be told apart any
		// more.
		if used, err := lab.ProcessCPU(r.copier.cmd.Process.Pid); err == nil {
			r.result.StartCPUSeconds = seconds(used)
		}
	}
	source, err := r.source.servers.CPU()
	if err != nil {
		return err
	}
	if target, err = r.target.servers.CPU(); err != nil {
		return err
	}
	r.result.SourceCPUSeconds = seconds(source - r.sourceBefore)
	r.result.TargetCPUSeconds = seconds(target - r.targetBefore)
	if stored < int64(r.messages) {
		return nil
	}
	return r.count(ctx) // duplicates may stand for messages that are still missing
}

// count reads what was copied.
func (r *race) count(ctx context.Context) error {
	t, err := r.target.tally(ctx, r.topic, r.messages)
	if err != nil {
		return err
	}
	r.result.Messages, r.result.Duplicates = t.different, t.duplicates
	r.result.Complete = t.different == int64(r.messages)
	r.result.Seconds, r.result.PerSecond = float64(t.last-t.first)/1000, 0
	if r.result.Seconds > 0 {
		r.result.PerSecond = math.Round(float64(t.different) / r.result.Seconds)
	}
	return nil
}

// seconds cuts off what processor times are not good for.
func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }
