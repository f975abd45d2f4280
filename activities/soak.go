package activities

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/fleet"
	"rocketshift/internal/clusters/measure"
)

// SoakRequest is a step of a shift behind gateways that stands, and is to be judged.
type SoakRequest struct {
	Request
	Topics api.Names `json:"topics"`
	Step   int       `json:"step"` // percent of their queues whose home is to be the target
}

const (
	// leastWindow is how long messages are counted at least by a worker that hasn't seen the soak
	// begin; a shorter soak is enough by itself.
	leastWindow = time.Minute

	// countAgain is the pause before messages are counted again while lanes are behind: a count
	// takes seconds to a minute.
	countAgain = 10 * time.Second
	// soaksKept is how many soaks a worker remembers: more than run at a time.
	soaksKept = 64
)

// soakKey is a step of one run of Shift.
type soakKey struct {
	workflowID, runID string
	step              int
}

// soaks are those that this worker has seen begin. The zero value is empty.
type soaks struct {
	mu    sync.Mutex
	known map[soakKey]measure.Soak
}

func (s *soaks) get(key soakKey) (measure.Soak, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, there := s.known[key]
	return found, there
}

// put remembers a soak, and forgets the oldest one where they are too many.
func (s *soaks) put(key soakKey, begun measure.Soak) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[soakKey]measure.Soak{}
	}
	s.known[key] = begun
	for len(s.known) > soaksKept {
		oldest := key
		for k, other := range s.known {
			if other.Since.Before(s.known[oldest].Since) {
				oldest = k
			}
		}
		delete(s.known, oldest)
	}
}

func keyOf(ctx context.Context, step int) soakKey {
	run := activity.GetInfo(ctx).WorkflowExecution
	return soakKey{run.ID, run.RunID, step}
}

// BeginSoak notes where all queues end: what is written from now on is judged. It reads two numbers
// of each topic on each broker.
func (g *Gateways) BeginSoak(ctx context.Context, r SoakRequest) (_ time.Time, err error) {
	defer explained(&err)
	both, err := g.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return time.Time{}, err
	}
	topics, err := g.settings.names(ctx, r.Request, r.Topics)
	if err != nil {
		return time.Time{}, err
	}
	begun, err := measure.BeginSoak(ctx, both, topics)
	if err != nil {
		return time.Time{}, err
	}
	g.soaks.put(keyOf(ctx, r.Step), begun)
	return begun.Since, nil
}

// JudgeSoak counts what applications have written since the soak began, by the homes that the
// gateways say, and tells what is doubtful about it. A worker that hasn't seen the soak begin
// counts from now on. What wasn't measured isn't claimed: without a message there is doubt.
func (g *Gateways) JudgeSoak(ctx context.Context, r SoakRequest) (_ api.WaveCheck, err error) {
	defer explained(&err)
	both, err := g.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return api.WaveCheck{}, err
	}
	topics, err := g.settings.names(ctx, r.Request, r.Topics)
	if err != nil {
		return api.WaveCheck{}, err
	}
	key, enough := keyOf(ctx, r.Step), min(leastWindow, time.Duration(both.Plan.Shift.Soak))
	begun, known := g.soaks.get(key)
	if !known {
		if begun, err = measure.BeginSoak(ctx, both, topics); err != nil {
			return api.WaveCheck{}, err
		}
		g.soaks.put(key, begun)
	}
	if left := enough - time.Since(begun.Since); left > 0 {
		return api.WaveCheck{}, fault.Again(fault.KindNotReady, left, nil,
			"messages are counted from %s on, by another worker than the one that saw the soak begin",
			begun.Since.Format(time.TimeOnly))
	}
	state, err := g.settings.clusters().GatewayState(ctx, both.Plan)
	if err != nil {
		return api.WaveCheck{}, err
	}
	sum, err := measure.CountTraffic(ctx, both, topics, begun, state.Homes.Away,
		func(p measure.SoakProgress) { activity.RecordHeartbeat(ctx, p) })
	if err != nil {
		return api.WaveCheck{}, err
	}
	if limit := measure.CloseLag * int64(max(1, sum.Topics)); sum.Lag > limit {
		return api.WaveCheck{}, fault.Again(fault.KindNotReady, countAgain, nil,
			"the lanes are %d messages behind, and may be %d: see rocketshift lanes %s", sum.Lag,
			limit, both.Plan.Name)
	}
	check := sum.Judge(r.Step, begun.Since)
	check.Past = fleet.Past(ctx, both, state, g.settings.clusters().GatewayState).OrNil()
	if check.Misplaced > 0 && check.Doubt != "" { // what went wrong once needn't stay in the count
		if begun, err = measure.BeginSoak(ctx, both, topics); err == nil {
			g.soaks.put(key, begun)
		}
	}
	return check, nil
}

// ShareRequest measures how producers' messages are spread. Before is what was measured when the
// time to measure began.
type ShareRequest struct {
	Request
	Topics api.Names      `json:"topics"`
	Before *api.WaveCheck `json:"before,omitempty"`
}

// MeasureShare counts what producers have written on each side, and since Before its share on the
// target. With Before it waits until the lanes have caught up, and looks for clients past the
// gateways.
func (g *Gateways) MeasureShare(ctx context.Context, r ShareRequest) (check api.WaveCheck, err error) {
	defer explained(&err)
	both, err := g.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return check, err
	}
	topics, err := g.settings.names(ctx, r.Request, r.Topics)
	if err != nil {
		return check, err
	}
	err = waiting{}.until(ctx, func() error {
		check, err = measure.CountShare(ctx, both, topics, r.Before)
		if err == nil && r.Before != nil && check.Lag > measure.CloseLag*int64(max(1, len(topics))) {
			return fault.NotReady("the lanes are %d messages behind", check.Lag)
		}
		return err
	})
	if err != nil || r.Before == nil {
		return check, err
	}
	state, err := g.settings.clusters().GatewayState(ctx, both.Plan)
	if err != nil {
		return check, err
	}
	check.Past = fleet.Past(ctx, both, state, g.settings.clusters().GatewayState).OrNil()
	return check, nil
}
