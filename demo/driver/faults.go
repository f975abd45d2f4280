package driver

import (
	"context"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/rocketmq"
)

// killWorker kills the worker in the middle of each stage that the options name. Producers that the
// migration hasn't moved go on while there is none.
func (w *watcher) killWorker(ctx context.Context, s api.Status) error {
	for _, stage := range s.Stages {
		at := slices.Index(w.toKill, stage.Name)
		if at < 0 || stage.State != api.StageRunning || !w.inTheMiddle(ctx, stage.Name, s) {
			continue
		}
		w.toKill = slices.Delete(w.toKill, at, at+1)
		w.console.say("kill -9 of the worker during %s", stage.Name)
		w.worker.kill()
		if err := w.producersGoOn(ctx, w.fleet.sendingTo(w.entrance)); err != nil {
			return err
		}
		return w.startWorker(ctx)
	}
	return nil
}

// askBack asks to go back when the step of the options soaks: its groups and producers are on the
// target then.
func (w *watcher) askBack(ctx context.Context, s api.Status) error {
	for _, wave := range s.Waves {
		if w.back || w.o.BackAt == 0 || wave.Step != w.o.BackAt || wave.State != api.WaveSoak {
			continue
		}
		w.back = true
		w.console.say("asking to go back at step %d%%", wave.Step)
		return w.rocketshift(ctx, "back", w.o.Name, "--by", "demo", "--reason", "the demo tries the way back")
	}
	return nil
}

// inTheMiddle reports whether a running stage has begun its work.
func (w *watcher) inTheMiddle(ctx context.Context, stage string, s api.Status) bool {
	switch stage {
	case api.ReplicateType:
		return w.copying(ctx, s)
	case api.ShiftType:
		return moving(s)
	}
	return true
}

// copying reports whether copies have reached the target.
func (d *demo) copying(ctx context.Context, s api.Status) bool {
	if s.Target == nil {
		return false
	}
	brokers, err := rocketmq.NewCluster(d.rocket, s.Target.NameServers).Brokers(ctx)
	if err != nil {
		return false
	}
	for _, b := range brokers {
		ranges, err := d.rocket.TopicStats(ctx, b.Addr, topics()[0].name)
		if err != nil {
			return false
		}
		for _, r := range ranges {
			if r.Max > 0 {
				return true
			}
		}
	}
	return false
}

// moving reports whether a wave is in the middle of its work.
func moving(s api.Status) bool {
	return slices.ContainsFunc(s.Waves, func(w api.WaveStatus) bool {
		return w.State == api.WaveGroups || w.State == api.WaveProducers
	})
}
